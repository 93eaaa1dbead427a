from zato.server.service import NotFound, Service

ROOMS = {"red": {"seats": 12}}


class Rooms(Service):
    name = "rooms"

    def handle_GET(self):
        return ROOMS

    def handle_PUT(self):
        ROOMS[self.request.payload["name"]] = {"seats": self.request.payload["seats"]}
        self.response.status_code = 201

    def handle_DELETE(self):
        name = self.request.channel_params["name"]
        if ROOMS.pop(name, None) is None:
            raise NotFound(f"There is no room {name!r}.")
