import CLinux
import Glibc
import KeeperProtocol
import OakumEngine

/// One connection to the keeper. Used by one thread only, which it may block up to the deadlines given.
final class KeeperConnection {
    /// Longest wait for an answer that needs no worker to end, in milliseconds. An order that starts hundreds of
    /// workers takes the keeper about a second.
    static let answerMilliseconds: UInt64 = 15_000

    let descriptor: Int32
    let keeperPID: Int32
    private let processDescriptor: Int32
    private var decoder = FrameDecoder()
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Connects to the keeper's socket.
    ///
    /// - Returns: nil when no keeper listens there.
    /// - Throws: `refused` when somebody else's process listens there, `keeperLost` when it cannot be reached.
    static func open(_ path: String) throws(WorkerControlError) -> KeeperConnection? {
        let descriptor = linux_connect_unix(path, 1)
        guard descriptor != -ENOENT, descriptor != -ECONNREFUSED else { return nil }
        guard descriptor >= 0 else { throw .keeperLost("cannot connect to \(path): \(text(descriptor))") }
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard linux_peer(descriptor, &pid, &uid) == 0, uid == geteuid() || uid == 0 else {
            close(descriptor)
            throw .refused("\(path) is served by a process of another user (uid \(uid)), not by a keeper of ours")
        }
        return KeeperConnection(descriptor: descriptor, keeperPID: pid)
    }

    private init(descriptor: Int32, keeperPID: Int32) {
        self.descriptor = descriptor
        self.keeperPID = keeperPID
        processDescriptor = linux_pidfd(keeperPID)
    }

    deinit {
        close(descriptor)
        if processDescriptor >= 0 { close(processDescriptor) }
    }

    /// Sends a message, waiting while the keeper's buffer is full.
    func send(_ message: ClientMessage) throws(WorkerControlError) {
        guard var frame = message.frame()?[...] else {
            throw .refused("the order is longer than \(FrameDecoder.longestBody) bytes; shorten the environments")
        }
        let deadline = linux_uptime_ms() + Self.answerMilliseconds
        while !frame.isEmpty {
            let count = frame.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                frame = frame.dropFirst(count)
            } else if errno == EAGAIN {
                guard wait(for: Int16(POLLOUT), until: deadline) else {
                    throw .keeperLost("the keeper takes no orders")
                }
            } else if errno != EINTR {
                throw .keeperLost("the connection to the keeper broke: \(Self.text(errno))")
            }
        }
    }

    /// Messages that have come, without waiting, and why nothing more will come when that is so.
    func receive() -> (messages: [KeeperMessage], end: WorkerControlError?) {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 {
            guard errno != EAGAIN, errno != EINTR else { return ([], nil) }
            return ([], .keeperLost("the connection to the keeper broke: \(Self.text(errno))"))
        }
        guard count > 0 else { return ([], .keeperLost("the keeper has closed the connection")) }
        decoder.append(buffer.prefix(count))
        var messages: [KeeperMessage] = []
        do throws(WireError) {
            while let body = try decoder.next() {
                do throws(WireError) {
                    messages.append(try KeeperMessage(body: body))
                } catch .unknownMessage {
                    continue  // from a newer keeper: nothing that this version needs
                }
            }
        } catch {
            return (messages, .keeperLost("the keeper sent what is no message of this version (\(error))"))
        }
        return (messages, nil)
    }

    /// True once there is something to read (or the end), false at the deadline.
    func wait(for events: Int16, until deadline: UInt64) -> Bool {
        while true {
            var wait = pollfd(fd: descriptor, events: events, revents: 0)
            let now = linux_uptime_ms()
            guard now < deadline else { return false }
            let ready = poll(&wait, 1, Int32(clamping: deadline - now))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }

    /// Waits until the keeper's process is gone; false at the deadline.
    func awaitEnd(milliseconds: Int32) -> Bool {
        guard processDescriptor >= 0 else { return kill(keeperPID, 0) != 0 }
        var wait = pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) > 0
    }

    static func text(_ error: Int32) -> String {
        String(cString: linux_error_text(error < 0 ? -error : error))
    }
}
