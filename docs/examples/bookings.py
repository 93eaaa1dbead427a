from zato.server.service import BadRequest, Conflict, Service


class Book(Service):
    name = "rooms.book"
    input = "room", "seats_count", "-note"
    output = "room", "seats_count", "state"

    def accept(self):
        return self.request.input.room != "roof"

    def before_handle(self):
        self.log_input()

    def validate_input(self):
        if self.request.input.seats_count > 12:
            raise BadRequest(f"{self.request.input.room} has 12 seats, not {self.request.input.seats_count}.")

    def handle(self):
        room = self.request.input.room
        if room == "blue":
            raise Conflict(f"{room} is taken.")
        self.response.payload.room = room
        self.response.payload.seats_count = self.request.input.seats_count
        self.response.payload.state = "booked"

    def after_handle(self):
        self.log_output()

    def finalize_handle(self):
        self.logger.info("%s took %s ms", self.request.input.room, self.processing_time)
