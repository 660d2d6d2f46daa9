import CCurl

/// What a mail server says, as libcurl hands it over line by line, and the message as libcurl asks for it.
/// Lives on the mail's thread alone.
final class MailDialogue: ProgressListener {
    struct Reply {
        var code: Int
        var text: String
    }

    private let message: [UInt8]
    private var taken = 0
    private let recipients: [String]
    private let watch: ProgressWatch
    private let handle: UnsafeMutableRawPointer
    private let transfer: Transfer
    /// All that counts has been said; what comes now is the goodbye.
    private var isOver = false
    /// Each reply's last line; those to MAIL, RCPT, …, DATA and the message come after the connection stands.
    private var beforehand = 0
    private(set) var replies: [Reply] = []
    private(set) var overflowed = false
    private var bytes = 0
    /// Of all lines of one dialogue.
    private static let limit = 65_536

    init(_ mail: OutboundMail, watch: ProgressWatch, handle: UnsafeMutableRawPointer, transfer: Transfer) {
        self.transfer = transfer
        self.handle = handle
        message = mail.message
        recipients = mail.recipients
        self.watch = watch
    }

    func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, message.count - taken)
        buffer.copyBytes(from: message[taken..<(taken + count)])
        taken += count
        return count
    }

    /// The bytes that were written have their doubled dots among them.
    override func wrote(_ uploaded: Int) -> Bool {
        if taken == message.count { _ = watch.wrote(uploaded) }
        // The goodbye is short anyway.
        return isOver || !transfer.isFinished && MonotonicClock.seconds() < transfer.deadline
    }

    override func connectionStands() {
        beforehand = replies.count
        watch.connectionStands()
    }

    func line(_ line: UnsafeRawBufferPointer) -> Int {
        bytes += line.count
        guard bytes <= Self.limit else {
            overflowed = true
            return 0
        }
        // "250-" goes on, "250 " or "250" ends a reply (RFC 5321, section 4.2.1).
        guard !isOver, line.prefix(3).allSatisfy({ (0x30...0x39).contains($0) }),
            line.dropFirst(3).first != UInt8(ascii: "-")
        else { return line.count }
        let text = String(decoding: line.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
        guard let code = Int(text.prefix(3)) else { return line.count }
        replies.append(Reply(code: code, text: text))
        // MAIL, each RCPT, DATA, and the answer to the message.
        let isAnswered = watch.connected && replies.count == beforehand + recipients.count + 3
        if isAnswered { watch.requestIsSent() }
        if isAnswered || isHopeless { end(isAnswered: isAnswered) }
        return line.count
    }

    /// The caller need not wait for the goodbye, and a rude server is not waited for.
    private func end(isAnswered: Bool) {
        isOver = true
        _ = ccurl_set_long(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, 1)
        guard let answer = answer(isAnswered: isAnswered) else { return }
        watch.answerIsRead()
        transfer.finish(.success(.mail(answer)))
    }

    /// The server has refused, and nothing else will be asked of it.
    private var isHopeless: Bool {
        guard let last = replies.last, last.code >= 400 else { return false }
        // EHLO may be refused by a server that knows HELO, and one way of logging in by one that knows another.
        guard watch.connected else { return last.code == 421 || replies.count == 1 }
        return !isAtRecipients || (ownReplies.count == recipients.count + 1 && refusals.count == recipients.count)
    }

    /// Replies since the connection stands: to MAIL, each RCPT, DATA and the message.
    private var ownReplies: ArraySlice<Reply> { watch.connected ? replies.dropFirst(beforehand) : [] }

    private var isAtRecipients: Bool { (2...(recipients.count + 1)).contains(ownReplies.count) }

    private var refusals: [(recipient: String, reply: Reply)] {
        Array(zip(recipients, ownReplies.dropFirst())).filter { $0.1.code >= 400 }.map { ($0.0, $0.1) }
    }

    /// What the dialogue came to.
    /// - Returns: nil when the server's words do not explain the end.
    func answer(isAnswered: Bool = false) -> MailAnswer? {
        guard let last = replies.last else { return nil }
        if isAnswered, last.code < 400 {
            let pairs = refusals.map { ($0.recipient, $0.reply.text) }
            return MailAnswer(
                code: last.code, text: last.text,
                refusedRecipients: Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
        }
        guard last.code >= 400 else { return nil }
        guard isAtRecipients else { return MailAnswer(code: last.code, text: last.text) }
        // One recipient of several was refused, and then the connection broke: that says nothing about the others.
        guard refusals.count == recipients.count else { return nil }
        // For ever only when it is for ever for all.
        let worst = refusals.first { $0.reply.code < 500 }?.reply ?? last
        return MailAnswer(code: worst.code, text: worst.text)
    }
}
