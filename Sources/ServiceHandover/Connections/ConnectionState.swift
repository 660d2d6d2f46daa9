package import NIOCore

/// What one HTTP/1 connection is doing and when it has waited long enough; pure: events and instants in, answers out.
///
/// Polite drain needs no event of its own: a connection that drains differs only in that the last answer it owes
/// says `Connection: close`. Idle ones end by the same window as ever, which is the one that was advertised.
package struct ConnectionState {
    /// The lines that the configuration draws, in the event loop's unit of time.
    package struct Limits: Sendable {
        var idle: TimeAmount
        var header: TimeAmount
        var body: TimeAmount
        var linger: TimeAmount
        var headerBytes: Int
        var lateBodyBytes: Int

        package init(
            idle: TimeAmount, header: TimeAmount, body: TimeAmount, linger: TimeAmount, headerBytes: Int,
            lateBodyBytes: Int
        ) {
            self.idle = idle
            self.header = header
            self.body = body
            self.linger = linger
            self.headerBytes = headerBytes
            self.lateBodyBytes = lateBodyBytes
        }
    }

    /// What must be remembered of a request until its answer is written.
    package struct Owed: Equatable, Sendable {
        /// Whether the client wants to keep the connection.
        var keepsAlive: Bool
        /// HTTP/1.0: no chunked answers.
        var isOldVersion: Bool

        package init(keepsAlive: Bool, isOldVersion: Bool) {
            self.keepsAlive = keepsAlive
            self.isOldVersion = isOldVersion
        }
    }

    /// What the head of an answer must say.
    package struct AnswerHead: Equatable {
        package var closes: Bool
        package var isOldVersion: Bool

        package init(closes: Bool, isOldVersion: Bool) {
            self.closes = closes
            self.isOldVersion = isOldVersion
        }
    }

    /// What a connection waits for.
    package enum Wait: Equatable { case idle, header, body, linger }
    /// What closing a connection destroys.
    package enum Cut: Equatable, Sendable { case request, idle, alreadyEnding }

    let limits: Limits
    /// Requests read and not answered, oldest first. Bounded by one socket read: nothing more is read until the
    /// service has taken up what it got.
    package private(set) var owed = CircularBuffer<Owed>()
    /// Whether a read of the socket is wanted: the service, not the client, is slow otherwise.
    package var wantsRead = false
    private(set) var remoteHasEnded = false
    /// Whether our side has ended or is to end with the answer being written.
    package private(set) var isEnding = false
    private var readsBody = false
    private var bodyLeft: Int?
    private var takesNoMore = false
    private var wantsClose = false
    private var headSince: NIODeadline?
    private var headBytes = 0
    private var lastByte: NIODeadline
    private var idleSince: NIODeadline
    private var lingerSince: NIODeadline?

    package init(limits: Limits, now: NIODeadline) {
        self.limits = limits
        lastByte = now
        idleSince = now
    }

    /// Whether bytes that arrive are of no interest any more.
    package var discardsInput: Bool { lingerSince != nil }

    // MARK: Reading

    /// Bytes came in; call before they are parsed.
    package mutating func bytesRead(_ count: Int, now: NIODeadline) {
        lastByte = now
        guard !readsBody else { return }
        headBytes += count
        if headSince == nil { headSince = now }
    }

    /// A request's head is complete. False: the connection takes no more requests, drop it and its body.
    package mutating func requestHead(_ request: Owed, bodyBytes: Int?) -> Bool {
        headSince = nil
        headBytes = 0
        readsBody = true
        bodyLeft = bodyBytes
        guard !takesNoMore else { return false }
        takesNoMore = !request.keepsAlive
        owed.append(request)
        return true
    }

    /// A piece of the newest request's body came in.
    package mutating func requestBody(_ count: Int) {
        if let left = bodyLeft { bodyLeft = max(0, left - count) }
    }

    /// The newest request was read to its end.
    package mutating func requestEnd(now: NIODeadline) {
        readsBody = false
        bodyLeft = 0
        if owed.isEmpty { idleSince = now }
    }

    /// The bytes have been parsed; whether what is left of an unfinished head is too much.
    package var headIsTooLarge: Bool { !readsBody && headSince != nil && headBytes > limits.headerBytes }

    /// The client ended its side.
    package mutating func inputEnded() { remoteHasEnded = true }

    // MARK: Answering

    /// The head of an answer is about to be written; how it must speak of the connection.
    ///
    /// - Parameters:
    ///   - closes: Whether the service itself wants to end the connection.
    ///   - knowsLength: Whether the answer states its length.
    ///   - isDraining: Whether the service is about to go.
    package mutating func answerHead(closes: Bool, knowsLength: Bool, isDraining: Bool) -> AnswerHead {
        guard let request = owed.first else {
            // An answer that nobody asked for: a complaint about bytes that are no request.
            isEnding = true
            return AnswerHead(closes: true, isOldVersion: false)
        }
        let tooMuchBody = readsBody && owed.count == 1 && (bodyLeft ?? .max) > limits.lateBodyBytes
        wantsClose = wantsClose || closes
        // Requests that were read already are answered first; the last answer owed tells the client.
        let isLast = owed.count == 1
        let ends = !request.keepsAlive || tooMuchBody || (request.isOldVersion && !knowsLength)
        isEnding = isEnding || ends || (isLast && (wantsClose || isDraining))
        takesNoMore = takesNoMore || isEnding
        return AnswerHead(closes: isEnding, isOldVersion: request.isOldVersion)
    }

    /// The end of an answer was handed to the kernel. True: end our side now and linger.
    package mutating func answerWritten(now: NIODeadline) -> Bool {
        if !owed.isEmpty { owed.removeFirst() }
        if owed.isEmpty { idleSince = now }
        return isEnding
    }

    /// Our side ended, by us or by the service; what the client still sends is read and dropped for a while,
    /// because closing over unread bytes would reset the connection and may destroy the answer on its way.
    package mutating func outputEnded(now: NIODeadline) {
        isEnding = true
        if lingerSince == nil { lingerSince = now }
    }

    // MARK: Waiting

    /// Until when the present wait may last; `nil` while the service is working or the client reads.
    package var deadline: (at: NIODeadline, wait: Wait)? {
        if let lingerSince { return (lingerSince + limits.linger, .linger) }
        if readsBody { return wantsRead ? (lastByte + limits.body, .body) : nil }
        guard owed.isEmpty, !isEnding else { return nil }
        if let headSince { return (headSince + limits.header, .header) }
        return (idleSince + limits.idle, .idle)
    }

    /// What is lost when the connection is closed right now.
    package var cut: Cut {
        if lingerSince != nil { return .alreadyEnding }
        return owed.isEmpty && headSince == nil && !readsBody ? .idle : .request
    }
}
