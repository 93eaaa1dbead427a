from pathlib import Path

from zato.testing import ServiceTestCase


class RemindersTest(ServiceTestCase):
    def setUp(self):
        self.zato.deploy(Path(__file__).parents[1] / "reminders.py")

    def test_mail(self):
        self.set_response("mail.send", lambda payload: {"sent": payload["to"]})

        self.invoke("reminders.send", {"mail": "ada@example.com"})

        self.assertEqual(self.zato.calls("mail.send")[0].payload["text"], "Your order is waiting.")
