import Notify
import Outbound
import ServiceLifecycle

/// Tells a watcher outside, again and again, that Oakum lives and can store incidents: its silence there is the alarm.
struct DeadMan: Service {
    let url: String
    let every: Duration
    let client: OutboundClient
    let network: NetworkSettings
    /// Nil: all is well. Otherwise nothing is told, so that the watcher raises its alarm.
    let trouble: @Sendable () async -> String?
    let say: @Sendable (String) -> Void

    func run() async throws {
        var isFailing = false
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let problem = await tell()
            if (problem != nil) != isFailing {
                isFailing.toggle()
                say(
                    problem.map { "the dead-man watcher is not told that Oakum lives: \($0)" }
                        ?? "the dead-man watcher is told again that Oakum lives")
            }
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: every) }
            } catch {
                return
            }
        }
    }

    private func tell() async -> String? {
        if let trouble = await trouble() { return trouble }
        var request = OutboundRequest(target: .url(url), timeoutSeconds: 10, maxResponseBytes: 64 << 10)
        request.network = network.policy
        if let proxy = network.proxy { request.proxy = .url(proxy.reveal()) }
        request.trustedCertificates = network.trustedCertificates
        do throws(OutboundError) {
            let answer = try await client.send(request)
            return (200..<300).contains(answer.status) ? nil : "it answered with status \(answer.status)"
        } catch {
            return "\(error)"
        }
    }
}
