/// How a service listens, how long it waits for its clients, and where it draws lines.
public struct HandoverConfiguration: Sendable {
    /// Where the sockets come from.
    public enum SocketSource: Sendable, Hashable {
        /// From `LISTEN_FDS` when it is set for this process, else our own from `http` and `admin`.
        case environment
        /// Listening stream sockets that somebody else opened; the service takes them over and closes them.
        case descriptors(http: [CInt], admin: CInt?)
    }

    /// Where to listen for requests when no socket is inherited.
    public var http: ListenAddress
    /// Where to listen for `/metrics`, `/healthz` and `/readyz` when no admin socket is inherited; `nil`: nowhere.
    ///
    /// A Unix socket opened here is readable and writable by its owner alone.
    public var admin: ListenAddress?
    /// Where the sockets come from.
    public var sockets = SocketSource.environment
    /// Connections that may wait in the kernel's accept queue; capped by `net.core.somaxconn`.
    ///
    /// Applied to inherited sockets too, because whatever is lowest in the last `listen` call holds for all sharers.
    public var backlog: Int32 = 4096
    /// How long a client may leave a kept-alive connection idle; advertised as `Keep-Alive: timeout`, in whole seconds.
    public var idleWindow: Duration = .seconds(5)
    /// How much longer than advertised an idle connection stays open, so that a client never races its end.
    public var idleMargin: Duration = .seconds(1)
    /// From the start of a graceful shutdown until what is left is cut; keep it above `idleWindow + idleMargin`.
    public var drainDeadline: Duration = .seconds(15)
    /// From the first byte of a request until its head must be complete (answered with 408).
    public var headerTimeout: Duration = .seconds(10)
    /// How long a request body may stand still while the service waits for it.
    public var bodyTimeout: Duration = .seconds(30)
    /// How long a client may leave an answer unread (TCP only: `TCP_USER_TIMEOUT`).
    public var unreadAnswerTimeout: Duration = .seconds(30)
    /// How long an answered connection that is to end waits for the client's end, so that no answer is destroyed.
    public var lingerTimeout: Duration = .seconds(2)
    /// Bytes that the head of a request may have (answered with 431).
    public var maximumHeaderBytes = 32 << 10
    /// Bytes of a request body that are still read after the answer to keep the connection; above it is closed.
    public var lateBodyBytes = 256 << 10
    /// Connections served at once; further ones wait in the accept queue, where another worker may take them.
    public var maximumConnections = 16_384
    /// The `Server` header of answers; `nil`: none.
    public var serverName: String?
    /// Told once, when the service takes connections, with the addresses it has (a chosen port included).
    public var onServing: @Sendable (_ http: [ListenAddress], _ admin: ListenAddress?) -> Void = { _, _ in }

    /// Makes a configuration; the limits have defaults that suit a JSON API.
    public init(http: ListenAddress, admin: ListenAddress? = nil) {
        self.http = http
        self.admin = admin
    }
}
