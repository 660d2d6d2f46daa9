import Foundation
package import Notify
import OakumModel
import Outbound
import Paging
import StrictYAML

extension ResponseReader {
    private static let kinds = ["smtp", "webhook", "slack", "pagerduty", "ntfy", "file", "console"]

    /// `channels`: replaces the ones that are there by default.
    mutating func channels(_ value: YAMLValue) throws(YAMLProblem) {
        var channels: [ChannelSettings] = []
        // Sends nothing: channels say whether they could work when they are made.
        let client = OutboundClient(maxConcurrent: 1)
        for entry in try value.list(atMost: 100) {
            let mapping = try entry.mapping(["name", "timeout"] + Self.kinds, as: "a channel")
            let name = try name(mapping, of: "channel", taken: channels.map(\.name))
            let given = Self.kinds.compactMap { kind in mapping[kind].map { (kind, $0) } }
            guard let (kind, settings) = given.first, given.count == 1 else {
                throw entry.problem(
                    "the channel `\(name)` needs one kind", hint: "one of \(Self.kinds.joined(separator: ", "))")
            }
            var channel = ChannelSettings(name: name, kind: try self.kind(kind, settings))
            if let timeout = mapping["timeout"] { channel.timeoutSeconds = try timeout.seconds(in: 1...120) }
            channel.network = self.settings.network.policy
            channel.proxy = self.settings.network.proxy
            channel.trustedCertificates = self.settings.network.trustedCertificates
            try check(channel, client, entry)
            channels.append(channel)
        }
        guard !channels.isEmpty else {
            throw value.problem(
                "`channels` is empty", hint: "leave it out: pages then go to a file in the state folder")
        }
        settings.configuredChannels = channels
        settings.hasOwnFile = false
        settings.plan.channels = channels.map(\.name)
    }

    private func check(
        _ channel: ChannelSettings, _ client: OutboundClient, _ value: YAMLValue
    ) throws(YAMLProblem) {
        do throws(ChannelError) {
            _ = try Notifier(
                channels: [channel], client: client, now: { WallTime(milliseconds: 0) }, console: { _ in })
        } catch {
            throw value.problem("the channel `\(channel.name)` cannot work: \(error.problem)")
        }
    }

    private mutating func kind(_ kind: String, _ value: YAMLValue) throws(YAMLProblem) -> ChannelSettings.Kind {
        switch kind {
        case "smtp": return .mail(try mail(value))
        case "webhook": return .webhook(try webhook(value))
        case "slack":
            let mapping = try value.mapping(Self.secretKeys("url"))
            return .slack(SlackSettings(url: try required("url", in: mapping)))
        case "pagerduty":
            let mapping = try value.mapping(Self.secretKeys("routing_key") + ["server"])
            var settings = PagerDutySettings(routingKey: try required("routing_key", in: mapping))
            if let server = mapping["server"] { settings.server = try url(server) }
            return .pagerDuty(settings)
        case "ntfy": return .ntfy(try ntfy(value))
        case "file": return .file(try file(value))
        default: return try console(value)
        }
    }

    private mutating func required(_ key: String, in mapping: YAMLMapping) throws(YAMLProblem) -> Secret {
        guard let secret = try secret(key, in: mapping) else {
            throw YAMLProblem(
                line: mapping.line, message: "`\(key)_file` is missing in \(mapping.name)",
                hint: "`\(key)_file: secrets/\(key)`, or `\(key)_env: OAKUM_\(key.uppercased())`")
        }
        return secret
    }

    // MARK: - Mail

    private mutating func mail(_ value: YAMLValue) throws(YAMLProblem) -> MailSettings {
        let mapping = try value.mapping(
            ["url", "from", "from_name", "to", "username", "security", "message_host"] + Self.secretKeys("password"))
        let hint = "such as smtp://mail.example.org:587, or smtps://mail.example.org"
        let address = try mapping.require("url", hint: hint)
        let text = try url(address, schemes: ["smtp", "smtps"])
        guard let parts = URLComponents(string: text), let host = parts.host, ["", "/"].contains(parts.path),
            parts.query == nil, parts.fragment == nil
        else { throw address.problem("`url` must be a mail server and nothing more", hint: hint) }
        let isTLS = parts.scheme == "smtps"
        var settings = MailSettings(
            host: host.trimmingCharacters(in: ["[", "]"]), port: parts.port,
            security: isTLS ? .implicitTLS : .startTLS,
            sender: try mapping.require("from", hint: "the sender's address, such as oakum@example.org").string())
        if let security = mapping["security"] {
            settings.security = try security.choice()
            guard (settings.security == .implicitTLS) == isTLS else {
                throw security.problem(
                    "`security` contradicts the URL", hint: "smtps:// is TLS from the first byte, smtp:// all others")
            }
        }
        settings.user = try mapping["username"]?.string()
        settings.password = try secret("password", in: mapping)
        if let name = mapping["from_name"] { settings.senderName = try self.text(name, atMost: 100) }
        for recipient in try mapping["to"]?.oneOrMore(atMost: 50) ?? [] {
            settings.recipients.append(try mailAddress(recipient))
        }
        settings.messageHost = try mapping["message_host"]?.string()
        return settings
    }

    func mailAddress(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.string()
        guard OutboundMail.isMailbox(text) else {
            throw value.problem(
                "`\(text)` is not a mail address", hint: "NAME@DOMAIN in ASCII, such as ada@example.org")
        }
        return text
    }

    // MARK: - Others

    private mutating func webhook(_ value: YAMLValue) throws(YAMLProblem) -> WebhookSettings {
        let mapping = try value.mapping(
            Self.secretKeys("url") + Self.secretKeys("secret") + Self.secretKeys("former_secret")
                + Self.secretKeys("authorization") + ["headers"])
        guard let url = try secret("url", in: mapping, inline: .allowed) else {
            throw value.problem("`url` is missing in a webhook", hint: "`url: https://…`, or `url_file: FILE`")
        }
        var settings = WebhookSettings(url: url)
        for key in ["secret", "former_secret"] {
            if let secret = try secret(key, in: mapping) { settings.secrets.append(secret) }
        }
        for (name, header) in try mapping["headers"]?.entries() ?? [] {
            guard name.lowercased() != "authorization" else {
                throw header.problem("`Authorization` is a secret", hint: "`authorization_file: FILE` in the webhook")
            }
            settings.headers[name] = Secret(try header.string())
        }
        if let login = try secret("authorization", in: mapping) { settings.headers["Authorization"] = login }
        if settings.secrets.isEmpty {
            warn(value, "the webhook's receiver cannot know who calls", hint: "`secret_file: FILE` signs every call")
        }
        return settings
    }

    private mutating func ntfy(_ value: YAMLValue) throws(YAMLProblem) -> NtfySettings {
        let mapping = try value.mapping(["server"] + Self.secretKeys("topic") + Self.secretKeys("token"))
        var settings = NtfySettings()
        if let server = mapping["server"] { settings.server = try url(server) }
        settings.topic = try secret("topic", in: mapping, inline: .allowed)
        settings.token = try secret("token", in: mapping)
        return settings
    }

    private func file(_ value: YAMLValue) throws(YAMLProblem) -> FileSettings {
        let mapping = try value.mapping(["path", "format", "size"])
        let path = try mapping.require("path", hint: "such as pages.jsonl")
        var settings = FileSettings(path: ConfigurationFile.absolute(try path.string(), in: folder))
        if let format = mapping["format"] { settings.format = try format.choice() }
        if let size = mapping["size"] {
            settings.limitBytes = try size.bytes()
            guard settings.limitBytes >= 64 << 10 else { throw size.problem("`size` must be at least 64KiB") }
        }
        return settings
    }

    private func console(_ value: YAMLValue) throws(YAMLProblem) -> ChannelSettings.Kind {
        _ = try value.mapping([], as: "a console channel")
        return .console
    }
}

extension ChannelSettings {
    /// Whether a page without an address finds somebody.
    var findsSomebody: Bool {
        switch kind {
        case .mail(let mail): !mail.recipients.isEmpty
        case .ntfy(let ntfy): ntfy.topic != nil
        case .webhook, .slack, .pagerDuty, .file, .console: true
        }
    }
}

extension ChannelSettings {
    /// The key under which it is configured.
    package var kindWord: String {
        switch kind {
        case .mail: "smtp"
        case .webhook: "webhook"
        case .slack: "slack"
        case .pagerDuty: "pagerduty"
        case .ntfy: "ntfy"
        case .file: "file"
        case .console: "console"
        }
    }
}
