import OakumModel

/// A page as a mail (RFC 5322), the same bytes however often it is made.
struct MailMessage {
    /// With CRLF.
    let text: String

    /// - Parameters:
    ///   - recipients: shown in `To`; the person's name stands beside a single one.
    ///   - host: right side of the message ids.
    init(_ page: ReadablePage, _ settings: MailSettings, recipients: [String], host: String) {
        let shown = PageText(page: page)
        let model = page.page
        let root = Self.threadID(model.thread, host: host)
        var headers = MailHeaders()
        headers.add("Date", UTCText.rfc5322(model.at))
        let senderName = ReadablePage.clean(settings.senderName, limit: 100)
        headers.add("From", MailHeaders.mailbox(name: senderName, address: settings.sender))
        let person = recipients.count == 1 ? model.person.map { ReadablePage.clean($0, limit: 100) } : nil
        headers.add(
            "To", recipients.map { MailHeaders.mailbox(name: person, address: $0) }.joined(separator: ", "))
        headers.addWords("Subject", page.title.isEmpty ? shown.headline : page.title)
        headers.add("Message-ID", "<\(model.id)@\(host)>")
        // A thread's root is a name that no mail has: whoever gets a later page first still gets one thread.
        if !model.beginsThread { headers.add("In-Reply-To", root) }
        headers.add("References", root)
        headers.add("Auto-Submitted", "auto-generated")
        headers.add("X-Auto-Response-Suppress", "All")
        if model.severity == .critical, !page.isCalming {
            headers.add("Importance", "high")
            headers.add("X-Priority", "1")
        }
        headers.add("X-Oakum-Page", model.id)
        if let incident = model.incident { headers.add("X-Oakum-Incident", "\(incident)") }
        headers.add("MIME-Version", "1.0")
        // "=_" cannot occur in quoted-printable text.
        let boundary = "=_\(model.id)"
        headers.add("Content-Type", "multipart/alternative; boundary=\"\(boundary)\"")
        text =
            headers.text + "\r\n" + Self.part(boundary, "text/plain", shown.plain)
            + Self.part(boundary, "text/html", shown.html) + "--\(boundary)--\r\n"
    }

    /// `<thread.…@host>`, of characters that need no quoting.
    static func threadID(_ thread: String, host: String) -> String {
        let isPlain = thread.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                || $0 == 0x5F
        }
        let name = isPlain && (1...64).contains(thread.utf8.count) ? thread : Digest.hex(thread)
        return "<thread.\(name)@\(host)>"
    }

    private static func part(_ boundary: String, _ type: String, _ body: String) -> String {
        "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            + QuotedPrintable.encoded(body) + "\r\n"
    }
}
