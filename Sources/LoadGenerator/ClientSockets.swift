import CLinux
import Glibc

/// What a poll has found out about one connection.
struct SocketEvent {
    enum Kind {
        case connected
        /// An errno.
        case connectFailed(Int32)
        /// The answer is complete and can be read from the parser.
        case answered
        /// The request under way is lost.
        case broke(Breakage)
        /// An idle connection ended, or somebody spoke out of turn on it (a 408, say): a pool drops such a connection.
        case idleEnded
    }

    enum Breakage {
        /// An errno.
        case failed(Int32)
        case ended
        case malformed(String)
        case leftover(Int)
    }

    var place: SocketPlace
    var kind: Kind
}

/// A connection's place in `ClientSockets`. Places are used again, generations are not.
struct SocketPlace: Hashable {
    var slot: Int
    var generation: UInt32
}

/// Client connections on one thread: opens, writes, reads and parses, one request at a time on each, and never a second
/// try. Whatever happens comes out of `wait` as an event, failures of `open` and `send` too, so that callers need not
/// fear to be called back.
///
/// No memory is allocated for a request once a connection has been used. Bounded by the connections its owner opens.
final class ClientSockets {
    private enum Phase {
        case free, connecting, waitingForBacklog, idle, busy, ended
    }

    private struct Socket {
        var descriptor: Int32 = -1
        var generation: UInt32 = 0
        var phase = Phase.free
        var address = 0
        var parser = ResponseParser()
        /// What the kernel has not taken yet of the request.
        var unsent: [UInt8] = []
        var sent = 0
        var isWatched = false
    }

    private static let eventCapacity = 512
    private static let readCapacity = 1 << 16
    /// At most so many full reads a connection in one turn.
    private static let readsPerTurn = 16
    /// Between two tries to enter the full backlog of a Unix socket.
    private static let backlogPause: Int64 = 500_000

    private let poll: Int32
    private let addresses: [linux_address]
    private let acknowledgesAtOnce: Bool
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readCapacity, alignment: 16)
    private let found = UnsafeMutablePointer<linux_poll_event>.allocate(capacity: eventCapacity)
    private var sockets: [Socket] = []
    private var free: [Int] = []
    private var pending: [SocketEvent] = []
    private var inBacklog: [SocketPlace] = []
    private(set) var opened: UInt64 = 0
    /// Bytes of all answers.
    private(set) var received: UInt64 = 0

    /// - Parameter acknowledgesAtOnce: what came of an answer that is not complete is acknowledged without delay. Not for
    ///   measuring latency: a user's machine would wait, and a server that makes it wait is slow for users.
    /// - Throws: `LoadError.failed` when the kernel gives no epoll set.
    init(addresses: [linux_address], acknowledgesAtOnce: Bool = false) throws(LoadError) {
        self.addresses = addresses
        self.acknowledgesAtOnce = acknowledgesAtOnce
        poll = linux_poll_open()
        found.initialize(repeating: linux_poll_event(), count: Self.eventCapacity)
        guard poll >= 0 else { throw .failed("no epoll set: \(errorText(-poll))") }
    }

    deinit {
        for slot in sockets.indices where sockets[slot].descriptor >= 0 { Glibc.close(sockets[slot].descriptor) }
        if poll >= 0 { Glibc.close(poll) }
        buffer.deallocate()
        found.deallocate()
    }

    /// Begins a connection; `connected` or `connectFailed` follows.
    func open(address: Int) -> SocketPlace {
        let slot = free.popLast() ?? sockets.count
        if slot == sockets.count { sockets.append(Socket()) }
        sockets[slot].generation &+= 1
        sockets[slot].address = address
        sockets[slot].phase = .connecting
        sockets[slot].isWatched = false
        let place = SocketPlace(slot: slot, generation: sockets[slot].generation)
        opened += 1
        connect(place)
        return place
    }

    private func connect(_ place: SocketPlace) {
        let descriptor = withUnsafePointer(to: addresses[sockets[place.slot].address]) { linux_connect_begin($0) }
        guard descriptor >= 0 else {
            guard descriptor == -EAGAIN else { return fail(place, -descriptor) }
            sockets[place.slot].phase = .waitingForBacklog
            return inBacklog.append(place)
        }
        sockets[place.slot].descriptor = descriptor
        sockets[place.slot].phase = .connecting
        watch(place, writing: true)
    }

    private func fail(_ place: SocketPlace, _ error: Int32) {
        pending.append(SocketEvent(place: place, kind: .connectFailed(error)))
    }

    /// Closes at once, whatever is under way. Nothing more comes of this place.
    func close(_ place: SocketPlace) {
        guard isCurrent(place) else { return }
        let slot = place.slot
        if sockets[slot].descriptor >= 0 { Glibc.close(sockets[slot].descriptor) }
        sockets[slot].descriptor = -1
        sockets[slot].phase = .free
        sockets[slot].generation &+= 1
        free.append(slot)
    }

    /// Whether what an event told is still about this connection.
    func isCurrent(_ place: SocketPlace) -> Bool {
        sockets[place.slot].generation == place.generation && sockets[place.slot].phase != .free
    }

    /// Connected, and the other side has not ended it as far as is known.
    func isIdle(_ place: SocketPlace) -> Bool {
        isCurrent(place) && sockets[place.slot].phase == .idle
    }

    func isConnecting(_ place: SocketPlace) -> Bool {
        let phase = sockets[place.slot].phase
        return phase == .connecting || phase == .waitingForBacklog
    }

    /// The answer under way on a connection.
    func withParser<Result>(_ place: SocketPlace, _ body: (ResponseParser) -> Result) -> Result {
        body(sockets[place.slot].parser)
    }

    /// Sends one request on an idle connection; `answered` or `broke` follows.
    func send(_ bytes: UnsafeRawBufferPointer, _ place: SocketPlace, for request: PreparedRequest) {
        let slot = place.slot
        sockets[slot].phase = .busy
        sockets[slot].parser.reset(
            isHead: request.isHead, keepsBody: request.readsBody, keepsHeaders: request.readsHeaders)
        if !sockets[slot].unsent.isEmpty { sockets[slot].unsent.removeAll(keepingCapacity: true) }
        sockets[slot].sent = 0
        let count = linux_send(sockets[slot].descriptor, bytes.baseAddress, bytes.count)
        if count == bytes.count { return }
        guard count >= 0 || count == -Int(EAGAIN) else {
            return pending.append(SocketEvent(place: place, kind: .broke(.failed(Int32(-count)))))
        }
        sockets[slot].unsent.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[max(count, 0)...]))
        watch(place, writing: true)
    }

    private func watch(_ place: SocketPlace, writing: Bool) {
        let slot = place.slot
        let tag = UInt64(slot) | UInt64(place.generation) << 32
        let result = linux_poll_watch(poll, sockets[slot].descriptor, tag, writing, !sockets[slot].isWatched)
        sockets[slot].isWatched = true
        guard result < 0 else { return }
        let isConnecting = sockets[slot].phase == .connecting
        pending.append(
            SocketEvent(place: place, kind: isConnecting ? .connectFailed(-result) : .broke(.failed(-result))))
    }

    /// Waits until something happens, at most so long, and tells all of it.
    func wait(nanoseconds: Int64, into events: inout [SocketEvent]) {
        events.removeAll(keepingCapacity: true)
        var limit = pending.isEmpty ? nanoseconds : 0
        if !inBacklog.isEmpty { limit = min(limit, Self.backlogPause) }
        let count = linux_poll_wait(poll, found, Int32(Self.eventCapacity), limit)
        swap(&events, &pending)
        for number in 0..<max(0, Int(count)) { handle(found[number], &events) }
        guard !inBacklog.isEmpty else { return }
        let waiting = inBacklog
        inBacklog.removeAll(keepingCapacity: true)
        for place in waiting where isCurrent(place) { connect(place) }
    }

    private func handle(_ event: linux_poll_event, _ events: inout [SocketEvent]) {
        let slot = Int(event.tag & 0xffff_ffff)
        let place = SocketPlace(slot: slot, generation: UInt32(event.tag >> 32))
        guard isCurrent(place) else { return }
        switch sockets[slot].phase {
        case .connecting:
            let error = linux_socket_error(sockets[slot].descriptor)
            guard error == 0 else {
                return events.append(SocketEvent(place: place, kind: .connectFailed(error)))
            }
            sockets[slot].phase = .idle
            watch(place, writing: false)
            events.append(SocketEvent(place: place, kind: .connected))
        case .busy, .idle:
            if event.ready & UInt32(linux_ready_write) != 0, !finishSending(place, &events) { return }
            if event.ready & UInt32(linux_ready_read | linux_ready_broken) != 0 { read(place, &events) }
        case .ended, .free, .waitingForBacklog: break
        }
    }

    /// False when that broke.
    private func finishSending(_ place: SocketPlace, _ events: inout [SocketEvent]) -> Bool {
        let slot = place.slot
        let start = sockets[slot].sent
        let count = sockets[slot].unsent.withUnsafeBytes { bytes in
            let rest = bytes[start...]
            return linux_send(sockets[slot].descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        }
        guard count >= 0 || count == -Int(EAGAIN) else {
            sockets[slot].phase = .ended
            events.append(SocketEvent(place: place, kind: .broke(.failed(Int32(-count)))))
            return false
        }
        sockets[slot].sent += max(count, 0)
        if sockets[slot].sent == sockets[slot].unsent.count { watch(place, writing: false) }
        return true
    }

    private func read(_ place: SocketPlace, _ events: inout [SocketEvent]) {
        let slot = place.slot
        for _ in 0..<Self.readsPerTurn {
            let count = linux_receive(sockets[slot].descriptor, buffer.baseAddress, Self.readCapacity)
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
            guard sockets[slot].phase == .busy else {
                sockets[slot].phase = .ended
                return events.append(SocketEvent(place: place, kind: .idleEnded))
            }
            guard count > 0 else {
                sockets[slot].phase = .ended
                return events.append(SocketEvent(place: place, kind: ended(slot, Int32(-count))))
            }
            received += UInt64(count)
            let piece = UnsafeRawBufferPointer(start: buffer.baseAddress, count: count)
            let kind: SocketEvent.Kind
            switch sockets[slot].parser.consume(piece) {
            case .needsMore:
                guard count == Self.readCapacity else {
                    if acknowledgesAtOnce { linux_acknowledge_now(sockets[slot].descriptor) }
                    return
                }
                continue
            case .complete(leftover: 0):
                // Answered before the request was sent whole: the rest of it would be taken for the next request.
                sockets[slot].phase = sockets[slot].sent < sockets[slot].unsent.count ? .ended : .idle
                kind = .answered
            case .complete(let leftover): kind = .broke(.leftover(leftover))
            case .malformed(let why): kind = .broke(.malformed(why))
            }
            return events.append(SocketEvent(place: place, kind: kind))
        }
    }

    private func ended(_ slot: Int, _ error: Int32) -> SocketEvent.Kind {
        guard error == 0 else { return .broke(.failed(error)) }
        return sockets[slot].parser.end() ? .answered : .broke(.ended)
    }
}

/// What an errno means.
func errorText(_ error: Int32) -> String {
    String(cString: linux_error_text(error))
}
