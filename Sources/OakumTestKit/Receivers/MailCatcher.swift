/// An SMTP server that keeps what it is sent, and refuses, hangs or breaks off where its script says.
package final class MailCatcher: Sendable {
    package struct Mail: Sendable {
        /// Of the envelope, without brackets.
        package var sender: String
        package var recipients: [String]
        /// As it was sent, without the doubled dots and the last line.
        package var text: String
        /// What AUTH PLAIN gave, in base64, if there was one.
        package var login: String?

        package func header(_ name: String) -> String? {
            let head = text.firstRange(of: "\r\n\r\n").map { text[..<$0.lowerBound] } ?? text[...]
            let unfolded = head.replacing("\r\n ", with: " ").replacing("\r\n\t", with: " ")
            for line in unfolded.split(separator: "\r\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    package enum Stage: Hashable, Sendable {
        case greeting
        case hello
        case login
        case sender
        case recipient(String)
        case data
        /// After the line with the dot.
        case message
        case quit
    }

    package enum Reply: Sendable {
        /// With its code; a mail that is answered 2xx counts as accepted.
        case say(String)
        /// Never a word again.
        case hang
        /// Ends the connection at once.
        case drop
    }

    /// Every mail whose text came whole, whatever was answered.
    package let received = Inbox<Mail> { $0.text }
    /// Those that were answered 2xx.
    package let accepted = Inbox<Mail> { $0.text }
    private let server: SocketServer

    /// - Parameters:
    ///   - extensions: lines of the answer to EHLO.
    ///   - script: nil: what a friendly server says.
    package init(
        extensions: [String] = ["8BITMIME", "AUTH PLAIN"], script: @escaping @Sendable (Stage) -> Reply? = { _ in nil }
    ) throws {
        let received = received
        let accepted = accepted
        server = try SocketServer { connection in
            MailSession(connection, extensions: extensions, script: script, received: received, accepted: accepted)
                .run()
        }
    }

    deinit {
        server.stop()
    }

    package var port: Int { Int(server.port) }
    package var connections: Int { server.connections }

    package func stop() {
        server.stop()
    }
}

/// One dialogue. Used by its thread alone.
private final class MailSession {
    private let connection: SocketConnection
    private let extensions: [String]
    private let script: (MailCatcher.Stage) -> MailCatcher.Reply?
    private let received: Inbox<MailCatcher.Mail>
    private let accepted: Inbox<MailCatcher.Mail>
    private var mail = MailCatcher.Mail(sender: "", recipients: [], text: "")
    private var login: String?

    init(
        _ connection: SocketConnection, extensions: [String],
        script: @escaping (MailCatcher.Stage) -> MailCatcher.Reply?, received: Inbox<MailCatcher.Mail>,
        accepted: Inbox<MailCatcher.Mail>
    ) {
        self.connection = connection
        self.extensions = extensions
        self.script = script
        self.received = received
        self.accepted = accepted
    }

    func run() {
        guard say(.greeting, "220 catcher.example ESMTP") != nil else { return }
        while let line = connection.read(through: "\r\n") {
            guard handle(String(decoding: line.dropLast(2), as: UTF8.self)) else { return }
        }
    }

    /// The answer that was given; nil when the dialogue is over.
    private func say(_ stage: MailCatcher.Stage, _ friendly: String) -> String? {
        give(script(stage) ?? .say(friendly))
    }

    private func give(_ reply: MailCatcher.Reply) -> String? {
        switch reply {
        case .say(let text):
            return connection.write(text + "\r\n") ? text : nil
        case .hang:
            connection.drain()
            return nil
        case .drop:
            return nil
        }
    }

    private func handle(_ line: String) -> Bool {
        let verb = line.prefix { $0 != " " }.uppercased()
        switch verb {
        case "EHLO", "HELO":
            let lines = ["catcher.example"] + extensions
            let text = lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)" }
            return say(.hello, text.joined(separator: "\r\n")) != nil
        case "AUTH":
            // "AUTH PLAIN" alone asks to be asked (RFC 4954, section 4).
            let words = line.split(separator: " ")
            if words.count == 2 {
                guard connection.write("334 \r\n"), let answer = connection.read(through: "\r\n") else { return false }
                login = String(decoding: answer.dropLast(2), as: UTF8.self)
            } else {
                login = words.last.map(String.init)
            }
            return say(.login, "235 welcome") != nil
        case "MAIL":
            mail = MailCatcher.Mail(sender: Self.path(line), recipients: [], text: "", login: login)
            return say(.sender, "250 ok") != nil
        case "RCPT":
            guard let answer = say(.recipient(Self.path(line)), "250 ok") else { return false }
            if answer.hasPrefix("2") { mail.recipients.append(Self.path(line)) }
            return true
        case "DATA": return data()
        case "RSET", "NOOP": return connection.write("250 ok\r\n")
        case "QUIT":
            _ = say(.quit, "221 bye")
            return false
        default: return connection.write("500 unknown\r\n")
        }
    }

    private func data() -> Bool {
        guard let answer = say(.data, mail.recipients.isEmpty ? "554 nobody" : "354 go on") else { return false }
        guard answer.hasPrefix("3") else { return true }
        var text: [UInt8] = []
        while true {
            guard let line = connection.read(through: "\r\n") else { return false }
            if line == Array(".\r\n".utf8) { break }
            text += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
        }
        mail.text = String(decoding: text, as: UTF8.self)
        received.record(mail)
        let reply = script(.message) ?? .say("250 queued as 4711")
        // Before the sender hears of it, who then may look at once.
        if case .say(let text) = reply, text.hasPrefix("2") { accepted.record(mail) }
        return give(reply) != nil
    }

    private static func path(_ line: String) -> String {
        String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }
}
