import Glibc
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel recorded it when the connection was made (unix(7), SO_PEERCRED).
/// The layout is that of `struct ucred`.
struct PeerCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32

    /// Throws when the connection is gone, or is not a Unix socket.
    static func of(_ channel: any Channel) async throws -> PeerCredentials {
        guard let options = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        let name = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        return try await options.unsafeGetSocketOption(level: .socket, name: name).get()
    }
}
