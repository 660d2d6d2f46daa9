import Foundation
import OakumModel
import Outbound

/// What the channels that speak HTTP have in common: one POST of JSON, guarded, judged.
struct HTTPChannel: Sendable {
    let client: OutboundClient
    let settings: ChannelSettings
    /// Who is spoken to, for people.
    let receiver: String
    /// What must not be in words.
    let secrets: [String]

    /// More of an answer is not read.
    static let answerBytes = 65_536

    func post(
        _ body: [UInt8], to url: String, headers: [(String, String)] = [], page: ReadablePage, progress: SendProgress
    ) async throws(OutboundError) -> OutboundResponse {
        var request = OutboundRequest(
            method: "POST", target: .url(url), headers: [("Content-Type", "application/json")] + headers, body: body,
            timeoutSeconds: settings.boundedTimeout, maxResponseBytes: Self.answerBytes)
        request.oversize = .isCut
        request.reusesConnections = false
        request.network = settings.network
        request.trustedCertificates = settings.trustedCertificates
        if let proxy = settings.proxy { request.proxy = .url(proxy.reveal()) }
        request.progress = progress
        return try await client.send(request)
    }

    func judgement(_ page: ReadablePage, now: WallTime) -> AnswerJudgement {
        // Links act without a login, so they are secrets as well.
        AnswerJudgement(receiver: receiver, now: now, secrets: Redaction(secrets + page.page.links.map(\.url)))
    }

    /// - Throws: `ChannelError` when the address cannot be sent to.
    static func check(url: Secret, of settings: ChannelSettings) throws(ChannelError) {
        do throws(OutboundError) {
            try OutboundRequest.Target.url(url.reveal()).check()
        } catch {
            guard case .failed(let text) = error else { return }
            throw ChannelError(channel: settings.name, problem: text)
        }
    }

    /// JSON with its keys in a fixed order, so that a repetition is the same bytes.
    static func json(_ value: some Encodable) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            // Only floating-point numbers that are not finite cannot be encoded, and no payload has any.
            return nil
        }
    }

    static let notEncoded = SendAnswer.refused(words: "the page cannot be written as JSON")
}

extension ChannelSettings {
    var boundedTimeout: Double { timeoutSeconds.isNaN ? 15 : min(max(timeoutSeconds, 1), 120) }
}
