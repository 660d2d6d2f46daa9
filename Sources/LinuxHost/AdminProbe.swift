import OakumEngine
package import Outbound
import PrometheusText

/// `WorkerProbe` over HTTP on a worker's own admin socket.
package struct AdminProbe: WorkerProbe {
    /// A readiness answer is a word or two; of more only the status counts, so it counts as no answer.
    static let longestReadiness = 64 << 10
    /// Metrics of a service with a few thousand series.
    static let longestMetrics = 4 << 20
    /// The counter a service tells its answered requests with, over all its labels.
    static let requestCounter = "http_requests_total"

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

    package func requestsServed(adminSocket: String, timeout: Double) async -> Double? {
        guard let answer = await get(adminSocket, "/metrics", timeout, limit: Self.longestMetrics),
            answer.status == 200
        else { return nil }
        let document = PrometheusText.read(answer.body)
        // A sum over a part of the lines would be a smaller number than the truth: a counter that runs backwards.
        guard !document.truncated, let served = document.samples.value(Self.requestCounter), served.isFinite,
            served >= 0
        else { return nil }
        return served
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
