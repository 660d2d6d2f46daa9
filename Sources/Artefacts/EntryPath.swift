/// The name of something inside an artefact: relative, plain, never leaving the folder it is unpacked into.
///
/// Two names are one when their bytes are one: Unicode's equivalence is not the file system's.
package struct EntryPath: Hashable, Sendable, CustomStringConvertible {
    /// The names between the slashes, none of them empty, `.` or `..`; no names at all: the folder itself.
    package let components: [[UInt8]]

    private init(components: [[UInt8]]) {
        self.components = components
    }

    /// The path as an archive spells it: parts `.` and doubled slashes are dropped, so is a slash at the end.
    ///
    /// - Throws: `.unsafeName` for an absolute path, a part `..`, control characters, bytes that are not UTF-8, and for
    ///   more names or bytes than the limits allow.
    package init(_ bytes: [UInt8], limits: ArtefactLimits) throws(ArtefactError) {
        try Self.check(bytes, limits: limits)
        guard bytes.first != UInt8(ascii: "/") else { throw Self.refusal(bytes, "an absolute path") }
        var components: [[UInt8]] = []
        for part in bytes.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            guard !part.elementsEqual("..".utf8) else {
                throw Self.refusal(bytes, "it says .. and could leave the folder")
            }
            guard part.count <= 255 else { throw Self.refusal(bytes, "a name of more than 255 bytes") }
            components.append(Array(part))
        }
        guard components.count <= limits.depth else {
            throw Self.refusal(bytes, "more than \(limits.depth) names deep")
        }
        self.components = components
    }

    package init(_ text: String, limits: ArtefactLimits = ArtefactLimits()) throws(ArtefactError) {
        try self.init(Array(text.utf8), limits: limits)
    }

    /// What any text from an archive must fulfil that becomes a name or a link's target.
    static func check(_ bytes: [UInt8], limits: ArtefactLimits) throws(ArtefactError) {
        guard !bytes.isEmpty else { throw ArtefactError(.unsafeName, "an entry", "it has no name") }
        guard bytes.count <= limits.pathBytes else {
            throw refusal(Array(bytes.prefix(80)), "a path of \(bytes.count) bytes, at most \(limits.pathBytes)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refusal(bytes, "the name is not UTF-8") }
        guard text.unicodeScalars.allSatisfy(isShownAsItIs) else {
            throw refusal(bytes, "the name holds a control character, or a mark that turns text around")
        }
    }

    private static func refusal(_ bytes: [UInt8], _ detail: String) -> ArtefactError {
        ArtefactError(.unsafeName, shown(bytes), detail)
    }

    /// False for control characters and for the marks of Unicode that reorder text.
    private static func isShownAsItIs(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }

    /// The bytes as text on one line, whatever they are.
    static func shown(_ bytes: [UInt8]) -> String {
        let plain = String(decoding: bytes.prefix(200), as: UTF8.self).unicodeScalars.map { scalar in
            isShownAsItIs(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }
        return "\"" + plain.joined() + "\""
    }

    package var isRoot: Bool { components.isEmpty }
    package var bytes: [UInt8] { Array(components.joined(separator: [UInt8(ascii: "/")])) }
    /// With slashes between the names.
    package var text: String { isRoot ? "." : String(decoding: bytes, as: UTF8.self) }
    package var description: String { text }

    /// The last name; empty for the folder itself.
    var name: String { components.last.map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The folder it is in; nil for the folder itself.
    package var parent: EntryPath? { isRoot ? nil : EntryPath(components: Array(components.dropLast())) }

    /// Where a symbolic link at this path leads.
    ///
    /// A `..` is allowed only before the first name: after one it would start from wherever another link leads. With that,
    /// and since no folder on the way to a link is a link itself, every link stays inside whatever other links there are.
    /// - Throws: `.unsafeLink` when it leaves the folder, `.unsafeName` when it is no name at all.
    func target(of link: [UInt8], limits: ArtefactLimits) throws(ArtefactError) -> EntryPath {
        func refusal(_ detail: String) -> ArtefactError {
            ArtefactError(.unsafeLink, text, "a link to \(Self.shown(link)): \(detail)")
        }
        try Self.check(link, limits: limits)
        guard link.first != UInt8(ascii: "/") else { throw refusal("absolute, so it would leave the folder") }
        var place = Array(components.dropLast())
        var isNamed = false
        for part in link.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) {
                guard !isNamed else { throw refusal("a .. after a name may lead anywhere") }
                guard place.popLast() != nil else { throw refusal("it leaves the folder") }
            } else {
                guard part.count <= 255 else { throw refusal("a name of more than 255 bytes") }
                isNamed = true
                place.append(Array(part))
            }
        }
        return EntryPath(components: place)
    }
}
