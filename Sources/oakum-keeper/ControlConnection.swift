import Glibc
import KeeperProtocol

/// One client of the control socket. Never waited for: what it does not read piles up here to a bound, then it is cut.
struct ControlConnection {
    /// Unread answers and events; more than this and the client is too slow.
    static let longestBacklog = 4 << 20
    /// Bytes read in one turn, so that one talkative client does not keep the others waiting.
    static let bytesPerTurn = 64 << 10

    enum Input {
        case messages([ClientMessage])
        /// Nothing more will come, or nothing sensible: why.
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
    var isOver: Bool { isLost || (closesWhenWritten && output.isEmpty) }

    /// Reads what has come, at most one turn's worth.
    mutating func read(into buffer: inout [UInt8]) -> Input {
        let count = Glibc.read(descriptor, &buffer, min(buffer.count, Self.bytesPerTurn))
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .messages([]) : .over("the connection broke") }
        guard count > 0 else { return .over("") }
        decoder.append(buffer.prefix(count))
        var messages: [ClientMessage] = []
        do throws(WireError) {
            while let body = try decoder.next() { messages.append(try ClientMessage(body: body)) }
        } catch {
            return .over("it sent what is no message of this protocol (\(error))")
        }
        return .messages(messages)
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
