import CLinux
import DurableOutbox
import Glibc

/// Hands a message to a Unix socket and reads what is said. Blocks its thread, at most two seconds.
struct SocketSender: OutboxSender {
    let path: String

    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
        waypoints.reached(.connect)
        let descriptor = linux_connect_unix(path, 0)
        guard descriptor >= 0 else { return .again(after: nil, words: "not connected") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let text = Array("\(String(decoding: message.payload, as: UTF8.self)) \(attempt)\n".utf8)
        guard Glibc.send(descriptor, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else {
            return .again(after: nil, words: "not sent")
        }
        waypoints.reached(.bytesSent)
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &answer, answer.count, 0)
        waypoints.reached(.responseRead)
        switch String(decoding: answer.prefix(max(count, 0)), as: UTF8.self) {
        case "ok\n": return .delivered(receipt: "\(attempt)")
        case "never\n": return .refused(words: "never")
        default: return .again(after: nil, words: "later")
        }
    }
}
