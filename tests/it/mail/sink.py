"""A mail server outside, as small as can be: keeps what it is given. Refuses nobody@ for good."""

import json
import os
import socketserver
import sys

PORT_FILE, OUT = sys.argv[1:]


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 outside.example.org")
        mail_from, to = "", []
        while line := self.rfile.readline():
            command = line.decode().strip()
            verb = command.upper()
            if verb.startswith("EHLO"):
                self.say("250-outside.example.org")
                self.say("250 8BITMIME")
            elif verb.startswith("MAIL FROM:"):
                mail_from = command[10:]
                self.say("250 ok")
            elif verb.startswith("RCPT TO:<NOBODY@"):
                self.say("550 5.1.1 nobody here")
            elif verb.startswith("RCPT TO:"):
                to.append(command[8:])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                mail = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    mail += line[1:] if line.startswith(b".") else line
                name = os.path.join(OUT, str(len(os.listdir(OUT))))
                with open(name + ".part", "w", encoding="utf-8") as file:
                    json.dump({"from": mail_from, "to": to, "mail": mail.decode()}, file)
                os.rename(name + ".part", name)
                self.say("250 kept")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("500 what?")


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    with open(PORT_FILE + ".part", "w", encoding="ascii") as ready:
        ready.write(str(server.server_address[1]))
    os.rename(PORT_FILE + ".part", PORT_FILE)
    server.serve_forever()
