// Foundation for the JSON coders alone: the standard library has none.
import FoundationEssentials
package import OakumAPI
package import OakumModel
package import Outbound

/// The control plane of another process, over its control socket.
package struct RemoteControlPlane: ControlPlane {
    private let socketPath: String
    private let client: OutboundClient
    private let timeoutSeconds: Double

    /// The largest answer taken: an overview of a hundred workers has some 100 KB, a long history a few MB.
    private static let maxAnswerBytes = 32 << 20
    /// A look into a heap takes up to twenty.
    private static let lookSeconds = 25.0

    /// - Parameters:
    ///   - socketPath: `STATE/oakum.sock`.
    ///   - timeoutSeconds: for each call as a whole.
    package init(
        socketPath: String, client: OutboundClient = OutboundClient(maxConcurrent: 4), timeoutSeconds: Double = 10
    ) {
        self.socketPath = socketPath
        self.client = client
        self.timeoutSeconds = timeoutSeconds
    }

    package func overview() async throws(ControlError) -> Overview {
        try await call("GET", "/api/v1/overview")
    }

    package func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        let service = PercentEncoding.encode(query.service)
        return try await call(
            "GET", "/api/v1/history?service=\(service)&seconds=\(query.seconds)&points=\(query.points)")
    }

    package func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        let after = query.after.map { "&after=\($0)" } ?? ""
        return try await call("GET", "/api/v1/events?limit=\(query.limit)\(after)")
    }

    package func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome {
        let body: Data
        do {
            body = try JSONEncoder().encode(command)
        } catch {
            throw .invalid("the command cannot be written as JSON: \(error)")
        }
        return try await call("POST", "/api/v1/commands", body: Array(body))
    }

    package func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView {
        try await call("GET", "/api/v1/heap?\(query.parameters)", seconds: Self.lookSeconds)
    }

    package func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        try await send("GET", "/api/v1/heap.\(form.rawValue)?\(query.parameters)", seconds: Self.lookSeconds)
    }

    private func call<Answer: Decodable>(
        _ method: String, _ target: String, body: [UInt8] = [], seconds: Double = 0
    ) async throws(ControlError) -> Answer {
        let answer = try await send(method, target, body: body, seconds: seconds)
        do {
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try decoder.decode(Answer.self, from: Data(answer))
        } catch {
            throw .failed("oakum's answer is not understood (is it of another version?): \(error)")
        }
    }

    /// - Parameter seconds: that the other side may take at the least, whatever the timeout.
    private func send(
        _ method: String, _ target: String, body: [UInt8] = [], seconds: Double = 0
    ) async throws(ControlError) -> [UInt8] {
        var request = OutboundRequest(
            method: method, target: .unixSocket(path: socketPath, requestTarget: target), body: body,
            timeoutSeconds: max(timeoutSeconds, seconds), maxResponseBytes: Self.maxAnswerBytes)
        if !body.isEmpty {
            request.headers = [("Content-Type", "application/json")]
        }
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await client.send(request)
        } catch {
            throw Self.failure(error)
        }
        guard response.status == 200 else { throw Self.failure(response) }
        return response.body
    }

    private static func failure(_ error: OutboundError) -> ControlError {
        switch error {
        case .cannotConnect(let text):
            .notRunning("oakum does not run with this state folder: \(text). Start it with `oakum up`")
        case .timedOut(let text): .failed("oakum did not answer: \(text)")
        case .tooLarge(let text): .failed("oakum's answer is too long: \(text)")
        case .failed(let text), .refused(let text): .failed(text)
        case .cancelled: .failed("the call was cancelled")
        }
    }

    private static func failure(_ response: OutboundResponse) -> ControlError {
        do {
            return ControlError(try JSONDecoder().decode(Problem.self, from: Data(response.body)))
        } catch {
            return .failed("oakum answered with status \(response.status) and no explanation")
        }
    }
}
