import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// Where other systems tell their alerts, deploys and signs of life, apart from the console: an address that may be open to
/// machines which have no business there.
package struct IntakeServer: Service {
    private let configuration: ConsoleConfiguration
    private let parts: ResponseParts
    private let isOpen: Bool
    private let logger: Logger
    private let onBound: @Sendable (_ host: String, _ port: Int) -> Void

    /// - Parameters:
    ///   - listen: `HOST:PORT`; beyond loopback only behind a proxy.
    ///   - isOpen: no token is asked for; only on loopback.
    ///   - onBound: called once connections are accepted, with the port really bound.
    package init(
        listen: String, behindProxy: Bool, isOpen: Bool, parts: ResponseParts, logger: Logger,
        onBound: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) {
        configuration = ConsoleConfiguration(listen: listen, behindProxy: behindProxy, assetsFolder: "")
        self.parts = parts
        self.isOpen = isOpen && !behindProxy
        self.logger = logger
        self.onBound = onBound
    }

    /// Serves until a graceful shutdown. Throws `ListenError` when the address cannot be had.
    package func run() async throws {
        let address = try ConsoleAddress(configuration.listen)
        let listener = HTTPListener(
            socket: .address(try address.socketAddress(behindProxy: configuration.behindProxy)),
            responder: makeRouter().buildResponder(), bodyLimit: RequestLimits.ofConsole,
            onBound: { onBound(address.host, $0.localAddress?.port ?? address.port) }, onEnding: {}, logger: logger)
        do {
            try await listener.run()
        } catch let error as IOError {
            throw ConsoleServer.explain(error, configuration.listen)
        }
    }

    private func makeRouter() -> Router<OakumContext> {
        let router = Router(context: OakumContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Problems(headers: ConsoleHeaders.all, clock: WallClock(), hasPages: false))
        router.add(middleware: ConsoleGuard(configuration))
        router.add(
            middleware: AccessGuard(
                listener: .console(behindProxy: configuration.behindProxy), table: RoutePolicy.intake, parts: parts))
        router.get("/healthz") { _, _ in
            APIRoutes.answer("text/plain; charset=utf-8", ByteBuffer(string: "ok\n"))
        }
        IntakeRoutes(parts: parts, gate: IntakeGate(), isOpen: isOpen).add(to: router)
        HeartbeatRoutes(parts: parts).add(to: router)
        return router
    }
}
