import Glibc
import KeeperProtocol

/// One client of the control socket. Never waited for: while it does not read its answers, no more of its questions are
/// read; events go on piling up for it, to a bound, and then it is cut.
struct ControlConnection {
    /// Bytes that wait for the client, from which on it is not listened to.
    static let patientBacklog = 64 << 10
    /// Bytes that wait for the client, beyond which it is cut. An inventory takes at most about 64 KiB.
    static let longestBacklog = 256 << 10
    /// Bytes read and messages answered in one turn: one talkative client does not keep the others waiting.
    static let bytesPerTurn = 64 << 10
    static let messagesPerTurn = 32

    enum Input {
        case message(ClientMessage)
        /// Nothing for now.
        case nothing
        /// Nothing sensible will come any more: why.
        case over(String)
    }

    let descriptor: Int32
    let connectedAt: UInt64
    var saidHello = false
    private var decoder = FrameDecoder()
    private var output: [UInt8] = []
    private(set) var closesWhenWritten = false
    private(set) var isLost = false

    init(descriptor: Int32, connectedAt: UInt64) {
        self.descriptor = descriptor
        self.connectedAt = connectedAt
    }

    var wantsToWrite: Bool { !output.isEmpty }
    var wantsToRead: Bool { !hasUnansweredInput && listens }
    /// Input that has been read and waits for its turn.
    var hasUnansweredInput = false
    var isOver: Bool { isLost || (closesWhenWritten && output.isEmpty) }
    var listens: Bool { !isLost && !closesWhenWritten && output.count < Self.patientBacklog }

    /// Reads what has come, at most one turn's worth; an empty text at the connection's end, nil when there is more.
    mutating func read(into buffer: inout [UInt8]) -> String? {
        let count = Glibc.read(descriptor, &buffer, min(buffer.count, Self.bytesPerTurn))
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : "the connection broke" }
        guard count > 0 else { return "" }
        decoder.append(buffer.prefix(count))
        hasUnansweredInput = true
        return nil
    }

    /// The next message of what was read.
    mutating func nextMessage() -> Input {
        do throws(WireError) {
            guard let body = try decoder.next() else {
                hasUnansweredInput = false
                return .nothing
            }
            return .message(try ClientMessage(body: body))
        } catch {
            return .over("it sent what is no message of this protocol (\(error))")
        }
    }

    mutating func send(_ message: KeeperMessage) {
        guard !isLost, !closesWhenWritten, let frame = message.frame() else { return }
        guard output.count + frame.count <= Self.longestBacklog else {
            isLost = true
            return
        }
        output += frame
        flush()
    }

    /// Says why, and closes once that is written or cannot be.
    mutating func dismiss(_ reason: String) {
        if saidHello { send(.goodbye(reason)) }
        closesWhenWritten = true
    }

    /// Writes what the client takes without waiting.
    mutating func flush() {
        while !output.isEmpty {
            let count = Glibc.send(descriptor, output, output.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                isLost = true
                return
            }
            output.removeFirst(min(count, output.count))
        }
    }
}
