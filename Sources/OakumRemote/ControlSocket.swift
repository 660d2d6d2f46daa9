// Foundation for the JSON coders alone: the standard library has none.
import FoundationEssentials
import OakumAPI
import Outbound

/// Calls over the control socket of another process.
struct ControlSocket: Sendable {
    let path: String
    let client: OutboundClient
    /// For each call as a whole.
    let timeoutSeconds: Double

    /// The largest answer taken: an overview of a hundred workers has some 100 KB, a long history a few MB.
    private static let maxAnswerBytes = 32 << 20

    static func body(_ value: some Encodable) throws(ControlError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(value))
        } catch {
            throw .invalid("the request cannot be written as JSON: \(error)")
        }
    }

    func call<Answer: Decodable>(
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
    func send(
        _ method: String, _ target: String, body: [UInt8] = [], seconds: Double = 0
    ) async throws(ControlError) -> [UInt8] {
        var request = OutboundRequest(
            method: method, target: .unixSocket(path: path, requestTarget: target), body: body,
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
        guard (200..<300).contains(response.status) else { throw Self.failure(response) }
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
