import Glibc
import Synchronization

/// Looks up the addresses of a host, for guarded requests. The seam that tests put their own answers in.
package struct HostResolver: Sendable {
    /// The addresses in the order to try them, or `.cannotConnect`. Ends with `.cancelled` when its task is cancelled.
    package var addresses: @Sendable (_ host: String) async throws(OutboundError) -> [NetworkAddress]

    package init(addresses: @escaping @Sendable (_ host: String) async throws(OutboundError) -> [NetworkAddress]) {
        self.addresses = addresses
    }

    /// getaddrinfo(3), each call on a thread of its own, so that a name server that is silent holds up nobody else.
    package static let system = HostResolver { host throws(OutboundError) in
        guard Lookups.begin() else {
            throw .failed("\(Lookups.limit) name lookups are under way already; try again later")
        }
        let answer = OneAnswer<Lookups.Outcome>()
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Cancelled before it began: the slot goes back.
                guard answer.wait(continuation) else { return Lookups.end() }
                let started = onDetachedThread {
                    answer.finish(Lookups.addresses(of: host))
                    Lookups.end()
                }
                if !started {
                    answer.finish(.failure(.failed("no thread for a name lookup")))
                    Lookups.end()
                }
            }
        } onCancel: {
            answer.finish(.failure(.cancelled))
        }.get()
    }
}

private enum Lookups {
    typealias Outcome = Result<[NetworkAddress], OutboundError>

    /// Threads at once: an abandoned lookup goes on until the resolver library gives up. More are refused.
    static let limit = 32
    private static let running = Mutex(0)

    static func begin() -> Bool {
        running.withLock { running in
            guard running < limit else { return false }
            running += 1
            return true
        }
    }

    static func end() {
        running.withLock { $0 -= 1 }
    }

    static func addresses(of host: String) -> Outcome {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        defer { if list != nil { freeaddrinfo(list) } }
        guard code == 0 else {
            return .failure(.cannotConnect("cannot look up \(host): \(String(cString: gai_strerror(code)))"))
        }
        var found: [NetworkAddress] = []
        var entry = list
        while let current = entry {
            if let address = address(current.pointee), !found.contains(address) { found.append(address) }
            entry = current.pointee.ai_next
        }
        return .success(found)
    }

    private static func address(_ entry: addrinfo) -> NetworkAddress? {
        guard let generic = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            let address = generic.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: address) { NetworkAddress(bytes: Array($0)) }
        case AF_INET6:
            let address = generic.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: address) { NetworkAddress(bytes: Array($0)) }
        default:
            return nil
        }
    }
}
