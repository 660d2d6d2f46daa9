package import Outbound

/// One channel: a name that policies and people refer to, and how pages get through it.
///
/// Values come from the configuration; secrets are read from files or the environment by whoever reads it.
/// What is wrong with them shows when the `Notifier` is made (`ChannelError`).
package struct ChannelSettings: Hashable, Sendable {
    /// 1 to 64 letters, digits, `_`, `-` and `.`.
    package var name: String
    package var kind: Kind
    /// For one attempt, everything together, 1 to 120 s; the bound of `file` and `console` is the disk's.
    package var timeoutSeconds: Double
    /// Where its connections may go. Without a word, public addresses alone.
    package var network: NetworkPolicy
    /// HTTP proxy for the channels that speak HTTP, `http://HOST:PORT`; nil: none, whatever the environment says.
    package var proxy: Secret?
    /// File with the certificates (PEM) to trust instead of the system's.
    package var trustedCertificates: String?

    package enum Kind: Hashable, Sendable {
        case mail(MailSettings)
        case webhook(WebhookSettings)
        case slack(SlackSettings)
        case pagerDuty(PagerDutySettings)
        case ntfy(NtfySettings)
        case file(FileSettings)
        /// Readable lines on standard error or in the log.
        case console
    }

    package init(
        name: String, kind: Kind, timeoutSeconds: Double = 15, network: NetworkPolicy = .publicOnly,
        proxy: Secret? = nil, trustedCertificates: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.timeoutSeconds = timeoutSeconds
        self.network = network
        self.proxy = proxy
        self.trustedCertificates = trustedCertificates
    }
}

/// Mail through one server (a "smarthost"). A page's `address` is the recipient; without one, `recipients` are.
package struct MailSettings: Hashable, Sendable {
    package var host: String
    /// nil: 465 with TLS from the first byte, else 587.
    package var port: Int?
    package var security: MailSecurity
    /// Both or none. A password is sent only under TLS, or to loopback.
    package var user: String?
    package var password: Secret?
    /// Address of the sender, in the envelope and in `From`.
    package var sender: String
    /// Shown beside it.
    package var senderName: String
    /// Who gets pages that are addressed to nobody; at most 50.
    package var recipients: [String]
    /// Right side of `Message-ID`, and the name in EHLO; nil: the domain of `sender`. Must stay the same for threads to hold.
    package var messageHost: String?

    package init(
        host: String, port: Int? = nil, security: MailSecurity = .startTLS, user: String? = nil,
        password: Secret? = nil, sender: String, senderName: String = "Oakum", recipients: [String] = [],
        messageHost: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.sender = sender
        self.senderName = senderName
        self.recipients = recipients
        self.messageHost = messageHost
    }
}

/// A JSON body by POST, signed as Standard Webhooks ask.
package struct WebhookSettings: Hashable, Sendable {
    /// May hold a token, so it is a secret as a whole.
    package var url: Secret
    /// `whsec_…` (24 to 64 bytes in base64): the current one first, while rotating the former one too. Empty: no signature.
    package var secrets: [Secret]
    /// Further headers, such as `Authorization`; at most 20.
    package var headers: [String: Secret]

    package init(url: Secret, secrets: [Secret] = [], headers: [String: Secret] = [:]) {
        self.url = url
        self.secrets = secrets
        self.headers = headers
    }
}

/// Slack's incoming webhook, or anything that speaks the same.
package struct SlackSettings: Hashable, Sendable {
    /// Whoever has it can post.
    package var url: Secret

    package init(url: Secret) {
        self.url = url
    }
}

/// PagerDuty's Events API v2.
package struct PagerDutySettings: Hashable, Sendable {
    /// The integration key, 32 letters and digits. A page's `address` is another service's key, if there is one.
    package var routingKey: Secret
    /// The European region has `https://events.eu.pagerduty.com`.
    package var server: String

    package init(routingKey: Secret, server: String = "https://events.pagerduty.com") {
        self.routingKey = routingKey
        self.server = server
    }
}

/// A topic of ntfy. A page's `address` is the topic; without one, `topic` is.
package struct NtfySettings: Hashable, Sendable {
    /// Its root, without a path.
    package var server: String
    /// Who knows the topic of an open server can read it.
    package var topic: Secret?
    /// Access token (`tk_…`).
    package var token: Secret?

    package init(server: String = "https://ntfy.sh", topic: Secret? = nil, token: Secret? = nil) {
        self.server = server
        self.topic = topic
        self.token = token
    }
}

/// Pages are appended to a file and forced to disk: the default that needs nobody else.
package struct FileSettings: Hashable, Sendable {
    /// Absolute. Created with mode 0600, its folder must exist.
    package var path: String
    package var format: Format
    /// When it would grow beyond, it becomes `PATH.1`, in place of the former one; at least 64 KiB.
    package var limitBytes: Int64

    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// One JSON object a line.
        case json
        /// For readers, a blank line between pages.
        case text
    }

    package init(path: String, format: Format = .json, limitBytes: Int64 = 64 << 20) {
        self.path = path
        self.format = format
        self.limitBytes = limitBytes
    }
}
