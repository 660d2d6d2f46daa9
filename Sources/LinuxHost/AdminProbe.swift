package import OakumEngine
package import Outbound
import PrometheusText

/// `WorkerProbe` over HTTP on a worker's own admin socket.
package struct AdminProbe: WorkerProbe {
    /// A readiness answer is a word or two; of more only the status counts, so it counts as no answer.
    static let longestReadiness = 64 << 10
    /// Metrics of a service with a few thousand series.
    static let longestMetrics = 4 << 20
    private let client: OutboundClient

    /// - Parameter client: stays the caller's, who shuts it down after the last probe.
    package init(client: OutboundClient) {
        self.client = client
    }

    /// True for a 2xx answer in time. Everything else, an unreachable socket too, is false.
    package func isHealthy(adminSocket: String, path: String, timeout: Double) async -> Bool {
        guard let answer = await get(adminSocket, path, timeout, limit: Self.longestReadiness) else { return false }
        return (200..<300).contains(answer.status)
    }

    package func measures(adminSocket: String, timeout: Double) async -> ServiceMeasures? {
        await samples(adminSocket, timeout).map { ServiceMeasures($0) }
    }

    package func tally(adminSocket: String, counting: [CounterChoice], timeout: Double) async -> WorkerTally? {
        await samples(adminSocket, timeout).map { WorkerTally($0, counting: counting) }
    }

    private func samples(_ socket: String, _ timeout: Double) async -> [PrometheusSample]? {
        guard let answer = await get(socket, "/metrics", timeout, limit: Self.longestMetrics), answer.status == 200
        else { return nil }
        let document = PrometheusText.read(answer.body)
        // A sum over a part of the lines would be a smaller number than the truth: a counter that runs backwards.
        guard !document.truncated, !document.samples.isEmpty else { return nil }
        return document.samples
    }

    private func get(_ socket: String, _ path: String, _ timeout: Double, limit: Int) async -> OutboundResponse? {
        let request = OutboundRequest(
            method: "GET", target: .unixSocket(path: socket, requestTarget: path), timeoutSeconds: timeout,
            maxResponseBytes: limit)
        do throws(OutboundError) {
            return try await client.send(request)
        } catch {
            // "No answer" is all the engine can use of it: the worker may be starting, hanging or dead.
            return nil
        }
    }
}
