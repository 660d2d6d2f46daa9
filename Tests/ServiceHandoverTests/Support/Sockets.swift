import Glibc
import OakumTestKit

/// A listening TCP socket of a test that plays the supervisor: opened once, handed to every generation of servers.
final class SharedSocket: Sendable {
    let descriptor: CInt
    let port: UInt16

    init(backlog: CInt = 4096) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in.loopback(port: 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var length = size
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> CInt in
                guard bind(descriptor, pointer, size) == 0, listen(descriptor, backlog) == 0 else { return -1 }
                return getsockname(descriptor, pointer, &length)
            }
        }
        guard code == 0 else { throw TestKitError("cannot listen: \(String(cString: strerror(errno)))") }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// A descriptor of the same socket for a server, which will close it.
    func duplicate() -> CInt { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    /// The greatest accept queue the kernel will keep for the socket: what `ss -ltn` shows as Send-Q.
    func backlog() throws -> UInt32 { try information().tcpi_sacked }

    /// Connections waiting to be accepted: what `ss -ltn` shows as Recv-Q.
    func queued() throws -> UInt32 { try information().tcpi_unacked }

    private func information() throws -> tcp_info {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else {
            throw TestKitError("TCP_INFO: \(String(cString: strerror(errno)))")
        }
        return info
    }
}

extension sockaddr_in {
    static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

extension sockaddr_un {
    static func path(_ path: String) throws -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { throw TestKitError("long path") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }
}
