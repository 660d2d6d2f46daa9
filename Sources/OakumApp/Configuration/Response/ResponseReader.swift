import Foundation
import Incidents
import Notify
import OakumModel
import Outbound
import Paging
import StrictYAML

/// Reads the keys of `oakum.yaml` that say who is told what. One use: it collects warnings as it goes.
struct ResponseReader {
    /// Relative paths are relative to it.
    let folder: URL
    /// Where `…_env` keys look.
    let environment: [String: String]
    var zones: ZoneFolder
    var settings = ResponseSettings()

    static let keys = [
        "people", "channels", "schedules", "policies", "audiences", "alerts", "incidents", "intake", "heartbeats",
        "public_url", "dead_man", "network",
    ]

    init(folder: URL, environment: [String: String], zones: ZoneFolder = ZoneFolder()) {
        self.folder = folder
        self.environment = environment
        self.zones = zones
    }

    /// Everything but audiences and heartbeats, which name services.
    mutating func read(_ root: YAMLMapping) throws(YAMLProblem) {
        if let value = root["network"] { settings.network = try network(value) }
        if let value = root["channels"] { try channels(value) }
        if let value = root["people"] { settings.plan.people = try people(value) }
        if let value = root["schedules"] { settings.plan.schedules = try schedules(value) }
        try policies(root["policies"])
        if let value = root["incidents"] { settings.incidents = try incidents(value) }
        if let value = root["intake"] { settings.intake = try intake(value) }
        if let value = root["public_url"] { settings.publicURL = try publicURL(value) }
        if let value = root["dead_man"] { settings.deadMan = try deadMan(value) }
        if let value = root["alerts"] { settings.hostAlerts = try AlertReader(zones: zones).host(value) }
    }

    mutating func warn(_ value: YAMLValue, _ message: String, hint: String? = nil) {
        settings.warnings.append(value.problem(message, hint: hint))
    }

    // MARK: - Smaller keys

    private func incidents(_ value: YAMLValue) throws(YAMLProblem) -> IncidentRules {
        let mapping = try value.mapping([
            "pages_from", "evidence_wait", "resolve_after", "reopen_within", "forget_after", "update_every",
        ])
        var rules = IncidentRules()
        if let value = mapping["pages_from"] { rules.pagesFrom = try value.choice() }
        if let value = mapping["evidence_wait"] { rules.evidenceSeconds = try value.seconds(in: 0...60) }
        if let value = mapping["resolve_after"] { rules.quietSeconds = try value.seconds(in: 1...86_400) }
        if let value = mapping["reopen_within"] { rules.reopenSeconds = try value.seconds(in: 0...2_592_000) }
        if let value = mapping["forget_after"] { rules.forgottenSeconds = try value.seconds(in: 60...2_592_000) }
        if let value = mapping["update_every"] { rules.updateSeconds = try value.seconds(in: 10...86_400) }
        return rules
    }

    private mutating func network(_ value: YAMLValue) throws(YAMLProblem) -> NetworkSettings {
        let mapping = try value.mapping(["allow", "trusted_certificates"] + Self.secretKeys("proxy"))
        var network = NetworkSettings()
        for entry in try mapping["allow"]?.list(atMost: 100) ?? [] {
            let text = try entry.string()
            guard let permit = NetworkPolicy.Permit(text) else {
                throw entry.problem(
                    "`\(text)` is neither a range of addresses nor a host", hint: "such as 10.0.0.0/8 or mail.internal")
            }
            network.policy.allow.append(permit)
        }
        network.proxy = try secret("proxy", in: mapping, inline: .allowed)
        if let proxy = network.proxy, let value = mapping["proxy"] ?? mapping["proxy_file"] ?? mapping["proxy_env"] {
            try checkURL(proxy.reveal(), value, schemes: ["http"], mayHoldLogin: mapping["proxy"] == nil)
        }
        if let value = mapping["trusted_certificates"] {
            network.trustedCertificates = try existingFile(value)
        }
        return network
    }

    private func publicURL(_ value: YAMLValue) throws(YAMLProblem) -> String {
        var text = try value.string()
        try checkURL(text, value, schemes: ["https", "http"], mayHoldLogin: false)
        guard !text.contains("?"), !text.contains("#") else {
            throw value.problem("`public_url` ends before any ? or #", hint: "such as https://oakum.example.org")
        }
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private mutating func deadMan(_ value: YAMLValue) throws(YAMLProblem) -> DeadManSettings {
        let mapping = try value.mapping(Self.secretKeys("url") + ["every"])
        guard let url = try secret("url", in: mapping, inline: .allowed) else {
            throw value.problem("`url` is missing in `dead_man`", hint: "the address to call, or `url_file: FILE`")
        }
        try checkURL(url.reveal(), value, schemes: ["https", "http"], mayHoldLogin: false)
        return DeadManSettings(url: url, every: try mapping["every"]?.seconds(in: 10...86_400) ?? 60)
    }

    private mutating func intake(_ value: YAMLValue) throws(YAMLProblem) -> IntakeSettings {
        let mapping = try value.mapping(["listen", "behind_proxy", "tokens", "tokens_file", "tokens_env"])
        let listen = try ConfigurationFile.address(try mapping.require("listen", hint: "such as 127.0.0.1:9105"))
        let tokens = try intakeTokens(mapping)
        let behindProxy = try mapping["behind_proxy"]?.bool() ?? false
        if !ConfigurationFile.isLoopback(listen.host) {
            guard behindProxy else {
                throw value.problem(
                    "the intake would listen on \(listen), which others can reach, without TLS",
                    hint: "use 127.0.0.1, or say `behind_proxy: true` when a proxy stands in front")
            }
            guard !tokens.isEmpty else {
                throw value.problem(
                    "whoever reaches \(listen) could open incidents",
                    hint: "`tokens_file: FILE`, a name and a token a line")
            }
        }
        return IntakeSettings(listen: listen, behindProxy: behindProxy, tokens: tokens)
    }

    private mutating func intakeTokens(_ mapping: YAMLMapping) throws(YAMLProblem) -> [IntakeToken] {
        guard let secret = try secret("tokens", in: mapping, lines: true),
            let value = mapping["tokens_file"] ?? mapping["tokens_env"]
        else { return [] }
        var tokens: [IntakeToken] = []
        for line in secret.reveal().split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            if words.isEmpty { continue }
            guard words.count == 2, Self.isName(String(words[0])), (20...512).contains(words[1].utf8.count) else {
                throw value.problem(
                    "a line of \(value.name) is not a name and a token of 20 characters or more",
                    hint: "such as: alertmanager $(openssl rand -hex 24)")
            }
            guard !tokens.contains(where: { $0.name == String(words[0]) }), tokens.count < 100 else {
                throw value.problem("\(value.name) names `\(words[0])` twice, or more than 100 tokens")
            }
            tokens.append(IntakeToken(name: String(words[0]), token: Secret(String(words[1]))))
        }
        guard !tokens.isEmpty else { throw value.problem("\(value.name) holds no token") }
        return tokens
    }
}
