/// What a manifest must fulfil by itself, before it is held against files.
extension Manifest {
    func check(limits: ArtefactLimits) throws(ArtefactError) {
        try plainWord(name, "name", allowing: Self.lower, most: 64)
        try plainWord(version, "version", allowing: Self.alphanumeric + Array("+".utf8), most: 64)
        try plainWord(release, "release", allowing: Self.alphanumeric + Array("+".utf8), most: 128)
        try plainWord(platform, "platform", allowing: Self.lower, most: 64)
        guard Self.isTime(created) else {
            throw Self.wrong("created is not a time in UTC such as 2026-01-31T12:00:00Z")
        }
        let paths = try checkFiles(limits: limits)
        try checkLinks(paths, limits: limits)
        for (path, id) in buildIDs {
            guard paths[Array(path.utf8)] != nil else {
                throw Self.wrong("build_ids names \(shown(path)), which is not in files")
            }
            guard (8...128).contains(id.utf8.count), id.utf8.allSatisfy(Self.isHexadecimal) else {
                throw Self.wrong("build_ids of \(shown(path)) is not hexadecimal, small letters")
            }
        }
        for (index, package) in systemPackages.enumerated() {
            try plainWord(package, "system_packages[\(index)]", allowing: Self.lower + Array("+".utf8), most: 128)
        }
        try checkCommand(paths)
        guard paths[Array(sbom.utf8)] != nil else {
            throw Self.wrong("sbom names \(shown(sbom)), which is not in files")
        }
    }

    /// Mode bits by the bytes of the path.
    private func checkFiles(limits: ArtefactLimits) throws(ArtefactError) -> [[UInt8]: UInt32] {
        guard !files.isEmpty else { throw Self.wrong("files is empty") }
        guard files.count <= limits.entries else {
            throw Self.wrong("files lists \(files.count), at most \(limits.entries)")
        }
        var seen: Set<EntryPath> = []
        var modes: [[UInt8]: UInt32] = [:]
        var total: Int64 = 0
        for (index, file) in files.enumerated() {
            let place = "files[\(index)]"
            try checkPath(file.path, "\(place).path", &seen, limits: limits)
            guard file.sha256.utf8.count == 64, file.sha256.utf8.allSatisfy(Self.isHexadecimal) else {
                throw Self.wrong("\(place).sha256 is not 64 hexadecimal digits, small letters")
            }
            guard file.sizeBytes >= 0, file.sizeBytes <= limits.fileBytes else {
                throw Self.wrong("\(place).size_bytes is \(file.sizeBytes), at most \(limits.fileBytes)")
            }
            total += file.sizeBytes
            guard total <= limits.totalBytes else {
                throw ArtefactError(
                    .tooLarge, Self.fileName, "the files have over \(shownBytes(limits.totalBytes)), the most taken")
            }
            guard let mode = file.modeBits else {
                throw Self.wrong(
                    "\(place).mode is \(shown(file.mode)), not octal digits such as 0755 (only the owner writes)")
            }
            modes[Array(file.path.utf8)] = mode
        }
        return modes
    }

    private func checkLinks(_ files: [[UInt8]: UInt32], limits: ArtefactLimits) throws(ArtefactError) {
        var seen: Set<EntryPath> = []
        for (index, link) in (links ?? []).enumerated() {
            try checkPath(link.path, "links[\(index)].path", &seen, limits: limits)
            guard files[Array(link.path.utf8)] == nil else { throw Self.wrong("links[\(index)].path is in files too") }
            _ = try EntryPath(link.path, limits: limits).target(of: Array(link.target.utf8), limits: limits)
        }
    }

    private func checkPath(
        _ text: String, _ place: String, _ seen: inout Set<EntryPath>, limits: ArtefactLimits
    ) throws(ArtefactError) {
        let path = try EntryPath(text, limits: limits)
        guard path.bytes.elementsEqual(text.utf8) else {
            throw Self.wrong("\(place) is not spelt plainly: \(shown(text))")
        }
        guard !Self.isUnlisted(path) else { throw Self.wrong("\(place) is \(shown(text)), which cannot list itself") }
        guard seen.insert(path).inserted else { throw Self.wrong("\(place) is there twice: \(shown(text))") }
    }

    /// The manifest and its signature: in the artefact without being in the manifest.
    static func isUnlisted(_ path: EntryPath) -> Bool {
        path.text == fileName || path.text == fileName + MinisignSignature.fileSuffix
    }

    private func checkCommand(_ files: [[UInt8]: UInt32]) throws(ArtefactError) {
        guard let program = command.first else { throw Self.wrong("command is empty") }
        guard let mode = files[Array(program.utf8)] else {
            throw Self.wrong("command begins with \(shown(program)), which is not in files")
        }
        guard mode & 0o111 != 0 else { throw Self.wrong("command begins with \(shown(program)), which may not be run") }
        guard !command.contains(where: { $0.utf8.contains(0) }) else { throw Self.wrong("command holds a zero byte") }
        for (key, value) in defaults?.environment ?? [:]
        where key.isEmpty || key.utf8.contains(UInt8(ascii: "=")) || key.utf8.contains(0) || value.utf8.contains(0) {
            throw Self.wrong("defaults.environment cannot hold \(shown(key))")
        }
        guard (1...1024).contains(defaults?.workers ?? 1) else { throw Self.wrong("defaults.workers is not 1 to 1024") }
        guard (defaults?.memoryBudgetBytes ?? 1) > 0 else {
            throw Self.wrong("defaults.memory_budget_bytes is not positive")
        }
    }

    // MARK: - Words

    private static let lower = Array("abcdefghijklmnopqrstuvwxyz0123456789._-".utf8)
    private static let alphanumeric = lower + Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    private func shown(_ text: String) -> String { EntryPath.shown(Array(text.utf8)) }

    private func plainWord(
        _ text: String, _ key: String, allowing bytes: [UInt8], most: Int
    ) throws(ArtefactError) {
        let isPlain = text.utf8.allSatisfy(bytes.contains) && !text.utf8.starts(with: ".".utf8)
        guard isPlain, (1...most).contains(text.utf8.count) else {
            throw Self.wrong(
                "\(key) is \(shown(text)): 1 to \(most) of the characters \(String(decoding: bytes, as: UTF8.self)), no . first"
            )
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isTime(_ text: String) -> Bool {
        let pattern = Array("dddd-dd-ddTdd:dd:ddZ".utf8)
        guard text.utf8.count == pattern.count else { return false }
        return zip(text.utf8, pattern).allSatisfy { byte, wanted in
            wanted == UInt8(ascii: "d") ? (0x30...0x39).contains(byte) : byte == wanted
        }
    }
}
