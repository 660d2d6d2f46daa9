import Dispatch
import Foundation
import OakumEngine
package import OakumModel
package import Outbound
import Spawning

/// `ReleaseRunner` over real processes and admin sockets.
package struct ReleaseScripts: ReleaseRunner {
    private let sites: [String: ReleaseSite]
    private let client: OutboundClient
    private let logFolder: String

    /// - Parameters:
    ///   - client: stays the caller's.
    ///   - logFolder: what hooks write goes to SERVICE-hook.log in it.
    package init(sites: [String: ReleaseSite], client: OutboundClient, logFolder: String) {
        self.sites = sites
        self.client = client
        self.logFolder = logFolder
    }

    package func prepare(_ release: ReleaseID, of service: String) async -> String? {
        guard let site = sites[service], !site.hook.isEmpty else { return nil }
        let log = "\(logFolder)/\(service)-hook.log"
        let words = site.hook.map { $0.replacing("{{release}}", with: "\(site.folder)/\(release)") }
        var environment: [String: String?] = site.environment.mapValues { $0 }
        environment["OAKUM_RELEASE"] = release.text
        let process: SpawnedProcess
        do throws(SpawnError) {
            process = try SpawnedProcess(words, environment: environment, outputPath: log)
        } catch {
            return error.reason
        }
        let exit = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    let exit = process.waitForExit(milliseconds: Int32(clamping: Int(site.hookSeconds * 1_000)))
                    process.killGroup()
                    continuation.resume(returning: exit)
                }
            }
        } onCancel: {
            process.send(SIGTERM)
        }
        switch exit {
        case .code(0): return nil
        case .some(let exit): return "it ended with \(exit) and wrote: \(TextFile.tail(log, lines: 4))"
        case nil: return "it was not done within \(Int(site.hookSeconds)) s; it wrote: \(TextFile.tail(log, lines: 4))"
        }
    }

    package func test(_ release: ReleaseID, of service: String, adminSocket: String) async -> String? {
        for test in sites[service]?.tests ?? [] {
            let request = OutboundRequest(
                method: test.method, target: .unixSocket(path: adminSocket, requestTarget: test.path),
                timeoutSeconds: test.seconds, maxResponseBytes: 4 << 20)
            do throws(OutboundError) {
                let answer = try await client.send(request)
                guard test.expected.contains(answer.status) else {
                    let wanted = test.expected.sorted().map(String.init).joined(separator: " or ")
                    return "\(test.method) \(test.path) was answered \(answer.status), not \(wanted)"
                }
            } catch {
                return "\(test.method) \(test.path) was not answered: \(error)"
            }
        }
        return nil
    }
}
