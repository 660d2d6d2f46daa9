import Glibc
import NIOCore

/// The listening sockets of one service, inherited or opened; whoever holds it must hand each on or close it.
struct ServiceSockets {
    var http: [CInt]
    var admin: CInt?
    /// Socket files that we made and remove at the end.
    var ownedPaths: [String] = []

    /// Takes the sockets that the configuration names; on an error nothing stays open.
    static func acquire(_ configuration: HandoverConfiguration) throws(HandoverError) -> ServiceSockets {
        switch configuration.sockets {
        case .descriptors(let http, let admin):
            for descriptor in http + (admin.map { [$0] } ?? []) {
                try check(descriptor)
            }
            return ServiceSockets(http: http, admin: admin)
        case .environment:
            var sockets = try inherited() ?? ServiceSockets(http: [], admin: nil)
            do throws(HandoverError) {
                if sockets.http.isEmpty {
                    sockets.http = [try open(configuration.http, configuration.backlog, mode: nil, in: &sockets)]
                }
                if sockets.admin == nil, let address = configuration.admin {
                    sockets.admin = try open(address, configuration.backlog, mode: 0o600, in: &sockets)
                }
            } catch {
                sockets.closeAll()
                throw error
            }
            return sockets
        }
    }

    /// Closes what has not been handed on, and removes our socket files.
    func closeAll() {
        for descriptor in http + (admin.map { [$0] } ?? []) {
            close(descriptor)
        }
        removeFiles()
    }

    /// Removes the socket files that we made.
    func removeFiles() {
        for path in ownedPaths {
            unlink(path)
        }
    }

    private static func inherited() throws(HandoverError) -> ServiceSockets? {
        let found = try InheritedSockets(
            environment: { name in getenv(name).map { String(cString: $0) } }, processID: getpid())
        for name in InheritedSockets.variables {
            unsetenv(name)
        }
        guard let found else { return nil }
        for descriptor in found.unclaimed {
            close(descriptor)
        }
        for descriptor in found.http + (found.admin.map { [$0] } ?? []) {
            try check(descriptor)
        }
        return ServiceSockets(http: found.http, admin: found.admin)
    }

    /// A descriptor must be a listening stream socket; it is kept from our own children.
    private static func check(_ descriptor: CInt) throws(HandoverError) {
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .unusableSockets("descriptor \(descriptor) is not open")
        }
        guard option(descriptor, SO_TYPE) == CInt(SOCK_STREAM.rawValue), option(descriptor, SO_ACCEPTCONN) == 1 else {
            throw .unusableSockets(
                "descriptor \(descriptor) is not a listening stream socket; for systemd: ListenStream= and Accept=no")
        }
    }

    private static func option(_ descriptor: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    private static func open(
        _ address: ListenAddress, _ backlog: Int32, mode: mode_t?, in sockets: inout ServiceSockets
    ) throws(HandoverError) -> CInt {
        let resolved: SocketAddress
        do {
            switch address {
            case .hostname(let host, let port):
                resolved = try SocketAddress.makeAddressResolvingHost(host, port: port)
            case .unixDomainSocket(let path):
                resolved = try SocketAddress(unixDomainSocketPath: path)
                try removeStaleSocket(path, address)
            }
        } catch let error as HandoverError {
            throw error
        } catch {
            throw .cannotListen(address: address.description, reason: "\(error)")
        }
        let family = resolved.protocol == .unix ? AF_UNIX : resolved.protocol == .inet6 ? AF_INET6 : AF_INET
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw .cannotListen(address: address.description, reason: reason(errno))
        }
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var failure: CInt = 0
        resolved.withSockAddr { pointer, size in
            if bind(descriptor, pointer, socklen_t(size)) != 0 { failure = errno }
        }
        if failure == 0, case .unixDomainSocket(let path) = address {
            sockets.ownedPaths.append(path)
            // Nobody can connect before `listen`, so nobody slips in under the wider mode.
            if let mode, chmod(path, mode) != 0 { failure = errno }
        }
        if failure == 0, listen(descriptor, backlog) != 0 { failure = errno }
        guard failure == 0 else {
            close(descriptor)
            throw .cannotListen(address: address.description, reason: reason(failure))
        }
        return descriptor
    }

    /// Removes a socket file that nobody listens on any more.
    private static func removeStaleSocket(_ path: String, _ address: ListenAddress) throws {
        // A socket file cannot be opened, which tells it from all others: open(2), ENXIO.
        let file = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        let failure = errno
        if file >= 0 { close(file) }
        if file < 0, failure == ENOENT { return }
        guard file < 0, failure == ENXIO else {
            throw HandoverError.cannotListen(
                address: address.description,
                reason: "a file that is no socket is in the way; remove it or choose another")
        }
        let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else {
            throw HandoverError.cannotListen(address: address.description, reason: reason(errno))
        }
        defer { close(probe) }
        let connected = try SocketAddress(unixDomainSocketPath: path).withSockAddr { pointer, size in
            connect(probe, pointer, socklen_t(size)) == 0
        }
        guard !connected else {
            throw HandoverError.cannotListen(
                address: address.description, reason: "another process serves this socket; stop it first")
        }
        unlink(path)
    }

    private static func reason(_ code: CInt) -> String {
        switch code {
        case EADDRINUSE: "the address is in use; stop the other process or choose another port"
        case EACCES, EPERM: "not permitted; choose a port above 1023, or have a supervisor hand the socket over"
        case EADDRNOTAVAIL: "no interface of this machine has this address"
        default: String(cString: strerror(code))
        }
    }
}
