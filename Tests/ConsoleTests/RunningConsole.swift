import Foundation
import OakumHTTP
import OakumTestKit
import ServiceLifecycle

/// Where a console under test is reached.
struct Console: Sendable {
    var port: Int
    var url: String { "http://127.0.0.1:\(port)/" }
}

/// The project's own page, as it is shipped.
let assetsFolder: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return root.appendingPathComponent("share/oakum/www").path
}()

/// A console over a fake, on a port of the kernel's choice.
func withConsole<Result>(
    _ plane: FakeControlPlane, dygraphs: String = "/usr/share/javascript/dygraphs",
    interval: Duration = .milliseconds(50), maxStreams: Int = 64, parts: ResponseParts = .none,
    behindProxy: Bool = false,
    _ body: (Console, ServiceGroup) async throws -> Result
) async throws -> Result {
    let configuration = ConsoleConfiguration(
        listen: "127.0.0.1:0", behindProxy: behindProxy, assetsFolder: assetsFolder, dygraphsFolder: dygraphs,
        maxStreams: maxStreams,
        streamInterval: interval)
    return try await withRunning { (bound: @escaping @Sendable (Int) -> Void) in
        ConsoleServer(configuration: configuration, controlPlane: plane, parts: parts, logger: quiet) { _, port in
            bound(port)
        }
    } _: { port, group in
        try await body(Console(port: port), group)
    }
}
