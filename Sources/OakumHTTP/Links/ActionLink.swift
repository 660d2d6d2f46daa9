package import OakumModel

/// What one link in a page does: one act, on one incident, for one person, until it expires.
package struct ActionLink: Hashable, Sendable {
    /// Raw values are signed: added to, never renamed.
    package enum Action: String, Hashable, Sendable, CaseIterable {
        case acknowledge
        case resolve
    }

    package var incident: Int64
    package var action: Action
    /// The name the act is told under, at most 64 characters.
    package var person: String
    package var expires: WallTime
    /// Tells one link from the next: 16 random bytes, hexadecimal.
    package var nonce: String

    package init(incident: Int64, action: Action, person: String, expires: WallTime, nonce: String) {
        self.incident = incident
        self.action = action
        self.person = person
        self.expires = expires
        self.nonce = nonce
    }

    /// Why a token is no link that works.
    package enum Refusal: Error, Hashable, Sendable {
        /// Not written by us, or changed since.
        case forged
        case expired(ActionLink)
    }

    /// A longer token is none of ours.
    private static let maxBytes = 1_024
    /// Keeps the signature from meaning anything anywhere else the key might be used.
    private static let purpose = Array("oakum action link v1\n".utf8)

    /// base64url(payload) "." base64url(HMAC-SHA-256), the payload in UTF-8 as `incident|action|expiry ms|nonce|person`.
    package func token(signedWith key: [UInt8]) -> String {
        let payload = Array("\(incident)|\(action.rawValue)|\(expires.milliseconds)|\(nonce)|\(person)".utf8)
        return "\(Base64URL.encode(payload)).\(Base64URL.encode(Self.signature(payload, key)))"
    }

    /// Reads a token that any of the keys has signed. The signature comes first: nothing of a forged one is looked at.
    package static func verify(
        _ token: String, keys: [[UInt8]], at now: WallTime
    ) throws(Refusal) -> ActionLink {
        guard token.utf8.count <= maxBytes else { throw .forged }
        let halves = token.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, let payload = Base64URL.decode(halves[0]), let given = Base64URL.decode(halves[1])
        else {
            throw .forged
        }
        // All keys are tried, so that the time tells nothing.
        let matches = keys.map { Crypto.equal(signature(payload, $0), given) }
        guard matches.contains(true), let link = parse(payload) else { throw .forged }
        guard now < link.expires else { throw .expired(link) }
        return link
    }

    private static func signature(_ payload: [UInt8], _ key: [UInt8]) -> [UInt8] {
        Crypto.hmac(purpose + payload, key: key)
    }

    /// The person comes last, so that a name may hold the separator.
    private static func parse(_ payload: [UInt8]) -> ActionLink? {
        guard let text = String(validating: payload, as: UTF8.self) else { return nil }
        let fields = text.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5, let incident = Int64(fields[0]), let action = Action(rawValue: String(fields[1])),
            let expires = Int64(fields[2])
        else { return nil }
        return ActionLink(
            incident: incident, action: action, person: String(fields[4]), expires: WallTime(milliseconds: expires),
            nonce: String(fields[3]))
    }
}
