import CLinux
import Glibc
import KeeperCore
import KeeperProtocol

/// The services' listening sockets. Each is opened once and kept while the service is ordered or a worker of it lives;
/// connections wait in its backlog while no worker takes them. The keeper never accepts any itself.
struct ServiceListeners {
    static let backlog: Int32 = 4_096

    private struct Open {
        var descriptor: Int32
        var listener: Listener
    }

    private var open: [String: Open] = [:]

    var all: [Listener] {
        open.values.map(\.listener).sorted { $0.service < $1.service }
    }

    /// Opens what the order needs and is not open yet; when one fails, those opened before it are closed again.
    /// The order is checked: where an address changes, no worker of the service lives.
    mutating func prepare(_ order: Order) throws(Refusal) {
        var opened: [String] = []
        for service in order.services {
            let before = open[service.name]?.listener.requested
            guard before != service.listen, before != nil || !service.listen.isEmpty else { continue }
            if before != nil { closeListener(service.name) }
            do throws(Refusal) {
                _ = try descriptor(of: service)
            } catch {
                for name in opened { closeListener(name) }
                throw error
            }
            opened.append(service.name)
        }
    }

    /// The socket of a service, opened when it is not; nil for a service without one.
    mutating func descriptor(of service: ServiceOrder) throws(Refusal) -> Int32? {
        if let known = open[service.name] { return known.descriptor }
        guard !service.listen.isEmpty else { return nil }
        guard let (host, port) = Self.split(service.listen) else { throw Self.unusable(service, -EINVAL) }
        let descriptor = linux_listen_tcp(host, port, Self.backlog)
        guard descriptor >= 0 else { throw Self.unusable(service, descriptor) }
        var text = [CChar](repeating: 0, count: 128)
        let named = linux_local_address(descriptor, &text, text.count)
        guard named == 0 else {
            close(descriptor)
            throw Self.unusable(service, named)
        }
        let resolved = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let listener = Listener(service: service.name, requested: service.listen, resolved: resolved)
        open[service.name] = Open(descriptor: descriptor, listener: listener)
        return descriptor
    }

    mutating func closeListener(_ service: String) {
        guard let known = open.removeValue(forKey: service) else { return }
        close(known.descriptor)
    }

    /// "HOST:PORT" or "[HOST]:PORT" into its parts; nil when it is neither.
    private static func split(_ address: String) -> (host: String, port: String)? {
        guard let colon = address.lastIndex(of: ":") else { return nil }
        var host = address[..<colon]
        let port = address[address.index(after: colon)...]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, UInt16(port) != nil else { return nil }
        return (String(host), String(port))
    }

    private static func unusable(_ service: ServiceOrder, _ error: Int32) -> Refusal {
        let what = "service \(service.name) cannot listen on \(service.listen): "
        switch error {
        case -EADDRINUSE:
            return Refusal(
                .addressInUse,
                what + "another process has it already; stop that process or choose another port (ss -ltnp shows which)"
            )
        case -EINVAL:
            return Refusal(
                .addressUnusable, what + "it is not a numeric HOST:PORT such as 127.0.0.1:8080 or [::1]:8080")
        case -EACCES:
            return Refusal(.addressUnusable, what + "this user may not use a port below 1024; choose a higher one")
        case -EADDRNOTAVAIL:
            return Refusal(.addressUnusable, what + "this machine has no such address")
        default:
            return Refusal(.addressUnusable, what + errorText(error))
        }
    }
}
