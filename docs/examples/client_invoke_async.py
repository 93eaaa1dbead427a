from zato.client import AnyServiceInvoker

address = 'http://localhost:11223'
path = '/zato/admin/invoke'
auth = ('admin.invoke', 'ccd77ca1ff414c3e8308e3f35d8292df')

client = AnyServiceInvoker(address, path, auth)
response = client.invoke_async('zato.ping')

if response.ok:
    print(response.data)
else:
    print(response.details)
