import Glibc
import NIOCore

/// Whose program is at the other end of a TCP connection within this machine.
///
/// Both ends of such a connection are sockets of this kernel, and `/proc/net/tcp` names the owner of each (proc(5)). What is
/// not found there is not known, and not known is not admitted.
enum LocalPeer {
    /// A busy machine has some ten thousand lines of 150 bytes.
    private static let maxBytes = 8 << 20

    /// The user id; nil when the peer is elsewhere, or gone.
    @concurrent
    static func uid(of channel: any Channel) async -> UInt32? {
        guard let own = channel.localAddress, let peer = channel.remoteAddress else { return nil }
        guard let client = key(peer), let server = key(own) else { return nil }
        let path = client.count > 13 ? "/proc/net/tcp6" : "/proc/net/tcp"
        guard let table = read(path) else { return nil }
        return uid(in: table, client: client, server: server)
    }

    /// Address and port as the table writes them: each 32-bit word of the address in the machine's byte order.
    static func key(_ address: SocketAddress) -> [UInt8]? {
        let isV6 = address.protocol == .inet6
        guard isV6 || address.protocol == .inet, let text = address.ipAddress else { return nil }
        var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        guard inet_pton(isV6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        guard let port = address.port else { return nil }
        var key: [UInt8] = []
        while !bytes.isEmpty {
            let word = bytes.prefix(4).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
            key += padded(UInt64(word), 8)
            bytes.removeFirst(min(4, bytes.count))
        }
        return key + [UInt8(ascii: ":")] + padded(UInt64(port), 4)
    }

    private static func padded(_ value: UInt64, _ width: Int) -> [UInt8] {
        let digits = Array(String(value, radix: 16, uppercase: true).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits
    }

    /// The owner of the established socket whose own end is `client` and whose other end is `server`.
    static func uid(in table: [UInt8], client: [UInt8], server: [UInt8]) -> UInt32? {
        for line in table.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 8)
            // sl, local, remote, state (01: established), queues, timer, retransmits, uid
            guard fields.count > 7, fields[1].elementsEqual(client), fields[2].elementsEqual(server),
                fields[3].elementsEqual("01".utf8)
            else { continue }
            return UInt32(String(decoding: fields[7], as: UTF8.self))
        }
        return nil
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maxBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
        }
        return nil
    }
}

/// Names of users of this machine.
enum UserNames {
    /// "ada"; "uid 1000" for one without a name. A directory service may take a while: for acts, not for every request.
    @concurrent
    static func name(of uid: UInt32) async -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
            return "uid \(uid)"
        }
        return Plain.line(String(cString: name), bytes: 64)
    }
}
