import urllib2
from ConfigParser import ConfigParser

from zato.server.service import Service


class GetRates(Service):
    name = 'rates.get'

    def handle(self):
        rates = {}
        try:
            for line in urllib2.urlopen('http://rates.example.com').readlines():
                currency, rate = unicode(line, 'utf8').split(';')
                rates[currency] = rate
        except urllib2.URLError, e:
            print 'No rates:', e.reason
            raise ValueError, 'No rates'

        if not rates.has_key('EUR') or len(rates) <> 0x20:
            self.logger.warn('Rates: %s', `rates`)

        self.response.payload = dict((key, value) for key, value in rates.iteritems())


class Pages(Service):
    name = 'rates.pages'

    def handle(self):
        rates = self.invoke('rates.get')
        self.response.payload = {'first': rates.keys()[0], 'pages': len(rates) / 10, 'mode': 0644}
