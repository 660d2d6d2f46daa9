/// How far a request has come, told while it goes there. Each is called at most once, in this order, on the transfer
/// thread: it must be quick, and never wait.
package struct OutboundProgress: Sendable {
    /// The connection stands (TCP, TLS, for mail also the greeting, STARTTLS and login), and nothing of the request has
    /// been written: neither its head nor MAIL FROM. On a connection that is used again it is called too.
    package var onConnected: (@Sendable () -> Void)?
    /// The last byte of the request has been handed to the kernel, or the first byte of the answer is there, whichever
    /// comes first. The receiver may have it all from here on. For mail: the text has been handed over; the line with a
    /// dot that ends it comes right after, so a sender that dies in this call has not sent the mail.
    package var onSent: (@Sendable () -> Void)?
    /// The whole answer has been read; the caller of `send` does not have it yet. Not called when there is none.
    package var onResponse: (@Sendable () -> Void)?

    package init(
        onConnected: (@Sendable () -> Void)? = nil, onSent: (@Sendable () -> Void)? = nil,
        onResponse: (@Sendable () -> Void)? = nil
    ) {
        self.onConnected = onConnected
        self.onSent = onSent
        self.onResponse = onResponse
    }
}

/// What libcurl's callbacks of a transfer point to. Lives on one thread alone.
class ProgressListener {
    func connectionStands() {}

    /// - Parameter uploaded: bytes that were written.
    /// - Returns: whether to go on: libcurl asks at least once a second, even while it waits.
    func wrote(_ uploaded: Int) -> Bool { true }
}

/// What a transfer has told of itself so far.
final class ProgressWatch: ProgressListener {
    private let progress: OutboundProgress
    /// Bytes that make up the body.
    private let bodyBytes: Int
    private(set) var connected = false
    private var sent = false
    private var answered = false

    init(_ progress: OutboundProgress, bodyBytes: Int) {
        self.progress = progress
        self.bodyBytes = bodyBytes
    }

    override func connectionStands() {
        guard !connected else { return }
        connected = true
        progress.onConnected?()
    }

    override func wrote(_ uploaded: Int) -> Bool {
        if connected, uploaded >= bodyBytes { requestIsSent() }
        return true
    }

    func requestIsSent() {
        guard !sent else { return }
        sent = true
        progress.onSent?()
    }

    func answerIsRead() {
        requestIsSent()
        guard !answered else { return }
        answered = true
        progress.onResponse?()
    }
}
