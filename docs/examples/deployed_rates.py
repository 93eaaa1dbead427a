from zato.server.service import Service


class Rates(Service):
    def handle(self):
        return {"EUR": 1.0}

    @classmethod
    def before_add_to_store(cls, logger):
        logger.info("Rates are about to be deployed")

    @staticmethod
    def after_add_to_store(logger):
        logger.info("Rates are deployed")
