import HTTPTypes
import Hummingbird
package import Logging
package import OakumAPI

/// What the servers answer: for tests that hold it against the table of needs and against the document.
package enum ServedRoutes {
    /// "get /api/v1/incidents/{id}", those of the console.
    package static func console(_ plane: any ControlPlane, logger: Logger) -> Set<String> {
        let server = ConsoleServer(
            configuration: ConsoleConfiguration(assetsFolder: ""), controlPlane: plane, logger: logger)
        return names(server.makeRouter(hub(plane, logger)))
    }

    /// Those of the control socket.
    package static func control(_ plane: any ControlPlane, logger: Logger) -> Set<String> {
        names(ControlServer(socketPath: "", controlPlane: plane, logger: logger).makeRouter(hub(plane, logger)))
    }

    /// Those with a row in the table of needs, for console and control socket.
    package static var tabled: (console: Set<String>, control: Set<String>) {
        (Set(RoutePolicy.console.map(name)), Set(RoutePolicy.control.map(name)))
    }

    /// Those of the table that are for people in a browser.
    package static var pages: Set<String> {
        Set(
            RoutePolicy.console.filter { $0.isPage || $0.path.hasPrefix("/assets/") }.map(name))
    }

    private static func hub(_ plane: any ControlPlane, _ logger: Logger) -> StreamHub {
        StreamHub(plane: plane, limit: 1, interval: .seconds(1), logger: logger)
    }

    private static func name(_ rule: RouteRule) -> String { "\(rule.method.rawValue.lowercased()) \(rule.path)" }

    private static func names(_ router: Router<OakumContext>) -> Set<String> {
        Set(router.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
    }
}
