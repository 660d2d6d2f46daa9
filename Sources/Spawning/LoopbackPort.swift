import Glibc

/// Ports of 127.0.0.1.
package enum LoopbackPort {
    /// Below those the kernel gives to outgoing connections: nobody takes one of them while the process that owns it is down.
    package static let range = 20_000..<32_000

    /// One that nobody uses. Looks from a random place and tries at most 2,000.
    package static func free() throws(SpawnError) -> Int {
        let start = Int.random(in: range)
        for step in 0..<2_000 {
            let port = range.lowerBound + (start - range.lowerBound + step) % range.count
            if isFree(port) { return port }
        }
        throw SpawnError(reason: "no free port between \(range.lowerBound) and \(range.upperBound)")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
