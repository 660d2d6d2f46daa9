package import OakumModel

/// Makes the links that pages carry, and knows which have acted.
package final class ActionLinks: Sendable {
    /// For how long a link acts, seconds, unless told otherwise: a page is answered within days or not at all.
    package static let lifetime = 3 * 86_400.0

    private let key: SigningKey
    private let used: UsedLinks
    private let base: String
    private let clock: OwnClock
    private let random: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - stateFolder: holds the key (`links.key`) and which links have acted (`links.used`).
    ///   - baseURL: where people reach the console: "https://oakum.example.org", without a slash at its end.
    /// - Throws: when the key cannot be had.
    package init(stateFolder: String, baseURL: String, clock: OwnClock = OwnClock()) throws(SigningKeyError) {
        key = try SigningKey(path: stateFolder + "/links.key")
        used = try UsedLinks(path: stateFolder + "/links.used", now: clock.now().wall)
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        self.clock = clock
        random = Crypto.randomBytes
    }

    /// The address of a link that acts once. Whoever has it can act in the person's name: it belongs into a page to that
    /// person, and nowhere else.
    package func url(
        incident: Int64, action: ActionLink.Action, person: String, at now: WallTime,
        lifetime seconds: Double = lifetime
    ) -> String {
        let link = ActionLink(
            incident: incident, action: action, person: Plain.line(person, bytes: 64),
            expires: WallTime(milliseconds: now.milliseconds + Int64(seconds * 1000)), nonce: Hex.encode(random(16)))
        return "\(base)/a/\(link.token(signedWith: key.keys[0]))"
    }

    /// The address of an incident's page, for those who sign in.
    package func url(ofIncident id: Int64) -> String { "\(base)/incidents/\(id)" }

    /// A new key signs from now on; links signed with the one before stay good.
    package func rotate() throws(SigningKeyError) {
        try key.rotate()
    }

    // MARK: - For the route

    func verify(_ token: String) throws(ActionLink.Refusal) -> ActionLink {
        try ActionLink.verify(token, keys: key.keys, at: clock.now().wall)
    }

    func isUsed(_ link: ActionLink) -> Bool { used.isUsed(link.nonce) }

    func claim(_ link: ActionLink) -> UsedLinks.Claim { used.claim(link.nonce) }

    func release(_ link: ActionLink) { used.release(link.nonce) }

    func finish(_ link: ActionLink) throws(SigningKeyError) {
        try used.finish(link.nonce, expires: link.expires, at: clock.now().wall)
    }
}
