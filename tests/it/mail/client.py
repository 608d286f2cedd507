"""A mail program of the standard library: smtplib and imaplib against the mail daemon. Prints JSON."""

import email
import email.policy
import hashlib
import imaplib
import json
import smtplib
import sys
import time
from email.message import EmailMessage

HOST = "127.0.0.1"
PATIENCE = 240


def send(port, user, password, sender, to, subject, *more):
    """Sends a mail; `more` are texts `name=value`: text, bcc, file."""
    given = dict(one.split("=", 1) for one in more)
    mail = EmailMessage()
    mail["From"] = f"{user.title()} <{sender}>"
    mail["To"] = to
    mail["Subject"] = subject
    if "bcc" in given:
        mail["Bcc"] = given["bcc"]
    mail.set_content(given.get("text", "Hello.\n.\n..dots\n"))
    if "file" in given:
        with open(given["file"], "rb") as file:
            mail.add_attachment(file.read(), maintype="application", subtype="octet-stream", filename="big.bin")
    with smtplib.SMTP(HOST, int(port)) as smtp:
        smtp.login(user, password)
        try:
            smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            return {"refused": {to: [code, text.decode()] for to, (code, text) in refused.recipients.items()}}
    return {"sent": True}


def open_inbox(port, user, password):
    imap = imaplib.IMAP4(HOST, int(port))
    imap.login(user, password)
    return imap


def inbox(port, user, password, count="0", folder="INBOX"):
    """Waits for so many mails and shows all."""
    started = time.time()
    imap = open_inbox(port, user, password)
    imap.select(folder)
    while True:
        _, found = imap.search(None, "ALL")
        numbers = found[0].split()
        if len(numbers) >= int(count):
            break
        assert time.time() < started + PATIENCE, f"{len(numbers)} of {count} mails after {PATIENCE} s"
        time.sleep(0.2)
        imap.noop()
    shown = []
    for number in numbers:
        _, fetched = imap.fetch(number, "(UID BODY.PEEK[])")
        mail = email.message_from_bytes(fetched[0][1], policy=email.policy.default)
        files = []
        for part in mail.iter_attachments():
            content = part.get_content()
            content = content.encode() if isinstance(content, str) else bytes(content)
            files.append({"name": part.get_filename(), "sha256": hashlib.sha256(content).hexdigest()})
        body = mail.get_body(("plain",))
        shown.append({
            "uid": fetched[0][0].decode().split("UID ")[1].split()[0],
            "header": {name: str(value) for name, value in mail.items()},
            "text": body.get_content().replace("\r\n", "\n") if body else "",
            "files": files,
        })
    imap.logout()
    return shown


def tour(port, user, password):
    """Everything that a mail program does in a folder, on an inbox with one mail at least."""
    def ok(answer):
        assert answer[0] == "OK", answer
        return answer[1]

    imap = open_inbox(port, user, password)
    folders = b" ".join(ok(imap.list())).decode()
    assert all(name in folders for name in ("INBOX", "Sent", "Drafts", "Trash", "\\Sent", "\\Trash")), folders
    before = int(ok(imap.select("INBOX"))[0])
    draft = b"From: x@phantasma.alt\r\nTo: y@phantasma.alt\r\nSubject: =?utf-8?q?Tsch=C3=BC=C3=9F?=\r\n\r\nA draft.\r\n"
    ok(imap.append("Drafts", "(\\Draft \\Seen)", imaplib.Time2Internaldate(1_700_000_000), draft))
    ok(imap.append("INBOX", None, None, draft.replace(b"draft", b"second")))
    ok(imap.noop())
    assert int(imap.response("EXISTS")[1][-1]) == before + 1
    last = str(before + 1)
    assert ok(imap.search("UTF-8", "SUBJECT", "tsch\u00fc\u00df".encode()))[0].split() == [last.encode()]
    assert ok(imap.search(None, "BODY", "second", "UNSEEN"))[0].split() == [last.encode()]
    assert ok(imap.search(None, "NOT", "BODY", "second", "SINCE", "1-Jan-2000", "SUBJECT", "nothing"))[0] == b""
    everything = ok(imap.fetch(last, "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"))
    assert b"ENVELOPE" in everything[0] and b'"x" "phantasma.alt"' in everything[0], everything
    part = ok(imap.fetch(last, "(BODY.PEEK[TEXT]<2.4>)"))
    assert part[0][1] == b"seco", part
    header = ok(imap.fetch(last, "(BODY.PEEK[HEADER.FIELDS (To)])"))
    assert header[0][1] == b"To: y@phantasma.alt\r\n\r\n", header
    assert b"\\Seen" not in ok(imap.fetch(last, "(FLAGS)"))[0]
    ok(imap.fetch(last, "(BODY[])"))
    assert b"\\Seen" in ok(imap.fetch(last, "(FLAGS)"))[0]
    ok(imap.store(last, "+FLAGS", "(\\Flagged)"))
    assert ok(imap.search(None, "FLAGGED"))[0].split() == [last.encode()]
    uid = ok(imap.uid("SEARCH", None, "FLAGGED"))[0].split()[0].decode()
    ok(imap.uid("COPY", uid, "Trash"))
    ok(imap.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)"))
    assert ok(imap.expunge()) == [last.encode()]
    assert int(ok(imap.select("INBOX"))[0]) == before
    assert imap.response("UIDNEXT")[1][0] == str(int(uid) + 1).encode()
    assert int(ok(imap.select("Trash", readonly=True))[0]) == 1
    assert imap.store("1", "+FLAGS", "(\\Seen)")[0] == "NO"
    assert ok(imap.status("Drafts", "(MESSAGES UNSEEN UIDNEXT)"))[0].endswith(b"(MESSAGES 1 UNSEEN 0 UIDNEXT 2)")
    date = ok(imap.select("Drafts")) and ok(imap.fetch("1", "(INTERNALDATE)"))[0]
    assert imaplib.Internaldate2tuple(date) == time.localtime(1_700_000_000), date
    assert imap.copy("1", "Nowhere")[0] == "NO"
    ok(imap.create("Work"))
    ok(imap.copy("1", "Work"))
    ok(imap.delete("Work"))
    ok(imap.close())
    assert imap.select("Nowhere")[0] == "NO"
    imap.logout()
    return {"folders": folders}


def idle(port, user, password, ready, subject_of_nothing=""):
    """Waits in IDLE for one more mail; writes a file when it waits."""
    imap = open_inbox(port, user, password)
    imap.select("INBOX")
    imap.send(b"i1 IDLE\r\n")
    while not imap.readline().startswith(b"+"):
        pass
    with open(ready, "w", encoding="ascii") as file:
        file.write("waiting")
    imap.sock.settimeout(PATIENCE)
    while b"EXISTS" not in (line := imap.readline()):
        assert line, "the connection ended"
    imap.send(b"DONE\r\n")
    while not (line := imap.readline()).startswith(b"i1 "):
        pass
    imap.logout()
    return {"done": line.decode().strip()}


def wrong_password(smtp_port, imap_port, user):
    """What both servers say to it."""
    said = {}
    try:
        smtplib.SMTP(HOST, int(smtp_port)).login(user, "wrong")
    except smtplib.SMTPAuthenticationError as error:
        said["smtp"] = error.smtp_code
    try:
        imaplib.IMAP4(HOST, int(imap_port)).login(user, "wrong")
    except imaplib.IMAP4.error as error:
        said["imap"] = str(error)
    with smtplib.SMTP(HOST, int(smtp_port)) as smtp:
        smtp.ehlo()
        said["without"] = smtp.mail(f"{user}@phantasma.alt")[0]
    return said


def as_another(port, user, password, other):
    """What SMTP says to who writes in another's name, on the envelope and in the mail."""
    said = []
    with smtplib.SMTP(HOST, int(port)) as smtp:
        smtp.login(user, password)
        said.append(smtp.mail(other)[0])
        smtp.rset()
        own = f"{user}@phantasma.alt"
        try:
            smtp.sendmail(own, [own], f"From: {other}\r\n\r\nx\r\n")
        except smtplib.SMTPDataError as error:
            said.append(error.smtp_code)
        said.append(smtp.mail(own, ["SIZE=9999999999"])[0])
        smtp.rset()
        smtp.mail(own)
        said.append(smtp.rcpt("nobody_at_all@phantasma.alt")[0])
        said.append(smtp.rcpt("someone@example.org")[0])
    return said


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
