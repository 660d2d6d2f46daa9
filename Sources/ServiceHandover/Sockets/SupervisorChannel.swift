import Glibc
import Logging

/// The datagram socket on which a supervisor hears `READY=1` and `STOPPING=1`.
///
/// Source: sd_notify(3). Losing a message is logged, never fatal: the service serves without it.
struct SupervisorChannel: Sendable {
    /// A path, or an abstract name starting with `@`; `nil`: nobody listens.
    let address: String?

    /// Takes the address from `NOTIFY_SOCKET` and clears it, so that no child speaks for the service.
    static func fromEnvironment() -> SupervisorChannel {
        let address = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
        unsetenv("NOTIFY_SOCKET")
        return SupervisorChannel(address: address)
    }

    /// Sends one message, waiting at most a second for a supervisor whose queue is full.
    func send(_ message: String, logger: Logger) {
        guard let address else { return }
        guard let failure = Self.send(message, to: address) else { return }
        logger.warning(
            "could not tell the supervisor \(message): \(String(cString: strerror(failure)))",
            metadata: ["notify_socket": "\(address)"])
    }

    /// The error number, or `nil` when the message was sent.
    private static func send(_ message: String, to address: String) -> CInt? {
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        var name = Array(address.utf8)
        // An abstract name starts with a zero byte and is as long as the address says, without a terminator.
        let isAbstract = name.first == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 } else { name.append(0) }
        guard name.first != nil, isAbstract || address.hasPrefix("/") else { return EINVAL }
        guard name.count <= MemoryLayout.size(ofValue: target.sun_path) else { return ENAMETOOLONG }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)

        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(message.utf8)
        let sent = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == bytes.count ? nil : errno
    }
}
