/// The identity of a site that survives a rebuild: a hash of the functions and file names of its innermost own frames.
///
/// Not in it: addresses, lines, closure numbers, specialisations, folders, and frames of allocators, runtimes and thunks,
/// which come and go with the compiler's choices. Frames in a row with the same function count once (a resumed async
/// function shows up several times).
package struct Fingerprint: Hashable, Sendable, Comparable {
    /// Sixteen hexadecimal digits.
    package var text: String
    /// False when functions without symbols went into it, by their offset in their file: then it is the same for every
    /// run of one build, but not for another build.
    package var survivesRebuild: Bool

    /// As many own frames are looked at: the one that allocates and those that say on whose behalf.
    package static let depth = 5

    package init(text: String, survivesRebuild: Bool = true) {
        self.text = text
        self.survivesRebuild = survivesRebuild
    }

    /// - Parameter frames: innermost first.
    package init(frames: [Frame], rules: FrameRules = FrameRules()) {
        self.init(frames.map { NamedFrame($0, rules: rules) })
    }

    init(_ frames: [NamedFrame]) {
        var parts: [String] = []
        var stable = true
        // A stack without a frame of one's own is known by what it has.
        for role in [FrameRole.own, .dependency, .runtime] where parts.isEmpty {
            for frame in frames where frame.role == role && frame.key != parts.last {
                parts.append(frame.key)
                stable = stable && !frame.isOffset
                if parts.count == Self.depth { break }
            }
        }
        text = Self.digits(parts)
        survivesRebuild = stable && !parts.isEmpty
    }

    package static func < (left: Fingerprint, right: Fingerprint) -> Bool {
        left.text < right.text
    }

    /// FNV-1a over the parts, each closed by a zero byte, and a finaliser (MurmurHash3) that spreads it.
    private static func digits(_ parts: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = hash &* 0x100_0000_01B3
        }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        hash ^= hash >> 33
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A frame with what its name says. Worked out once for each distinct frame.
struct NamedFrame: Hashable, Sendable {
    var frame: Frame
    var role: FrameRole
    /// Normalised function and file name.
    var key: String
    /// There is no symbol; the function is "file+offset".
    var isOffset: Bool

    init(_ frame: Frame, rules: FrameRules, isOffset: Bool = false) {
        self.frame = frame
        self.isOffset = isOffset
        guard !isOffset || !frame.module.isEmpty else {
            // In no file: made at run time (a just-in-time compiler), or where a broken stack led. Its address says nothing.
            (role, key) = (.runtime, "?")
            return
        }
        let name = FunctionName(frame.function)
        role = rules.role(of: frame, named: name)
        let file = frame.file.flatMap(Self.fileName) ?? ""
        key = (isOffset ? frame.function : name.normalised) + "|" + file
    }

    /// The file without its folders; nil for what no person wrote.
    static func fileName(_ path: String) -> String? {
        guard let name = path.split(separator: "/").last, !name.hasPrefix("<"), name != "??" else { return nil }
        return String(name)
    }

    /// "function (file:line)", as people and `oakum drill` read it.
    var label: String {
        guard let file = frame.file.flatMap(Self.fileName) else { return frame.function }
        return frame.line.map { "\(frame.function) (\(file):\($0))" } ?? "\(frame.function) (\(file))"
    }
}
