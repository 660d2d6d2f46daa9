/// Goes through an artefact once: holds every entry against the ledger and the manifest, and hands what may stay to the
/// writer, when there is one. Memory: a buffer of 64 KiB, the manifest, and the names.
struct Unpacking {
    /// A file as it came.
    private struct Arrived {
        var sha256: String
        var size: Int64
    }

    private let source: any EntrySource
    private let writer: FolderWriter?
    private let limits: ArtefactLimits
    private var ledger: EntryLedger
    private var manifest: Manifest?
    private var manifestDigest: [UInt8] = []
    private var expected: [EntryPath: Manifest.File] = [:]
    private var links: [EntryPath: Manifest.Link] = [:]
    private var arrived: [EntryPath: Arrived] = [:]

    private init(_ source: any EntrySource, writer: FolderWriter?, limits: ArtefactLimits) {
        self.source = source
        self.writer = writer
        self.limits = limits
        ledger = EntryLedger(limits: limits)
    }

    /// - Parameter writer: nil: everything is read and checked, and nothing is written.
    static func run(
        _ source: any EntrySource, into writer: FolderWriter?, limits: ArtefactLimits
    ) throws(ArtefactError) -> ArtefactContents {
        var unpacking = Unpacking(source, writer: writer, limits: limits)
        return try unpacking.run()
    }

    /// The manifest alone; the rest is not read.
    static func manifest(of source: any EntrySource, limits: ArtefactLimits) throws(ArtefactError) -> Manifest {
        var unpacking = Unpacking(source, writer: nil, limits: limits)
        while let entry = try source.next() {
            _ = try unpacking.ledger.admit(entry)
            try unpacking.take(entry)
            if let manifest = unpacking.manifest { return manifest }
        }
        throw Self.noManifest
    }

    private static var noManifest: ArtefactError {
        Manifest.wrong("there is none: the first file of an artefact is its manifest.json")
    }

    private mutating func run() throws(ArtefactError) -> ArtefactContents {
        while let entry = try source.next() {
            for folder in try ledger.admit(entry) { try writer?.makeFolder(folder) }
            try take(entry)
        }
        guard let manifest else { throw Self.noManifest }
        try ledger.finish()
        for file in manifest.files {
            guard arrived[try EntryPath(file.path, limits: limits)] == nil else { continue }
            throw ArtefactError(.mismatch, file.path, "the manifest lists it, and it is not there")
        }
        for (path, link) in links where ledger.known[path] != .link {
            throw ArtefactError(.mismatch, link.path, "the manifest lists this link, and it is not there")
        }
        return ArtefactContents(
            manifest: manifest, files: ledger.files, bytes: ledger.bytes, packedDigest: source.finishDigest(),
            manifestDigest: manifestDigest)
    }

    private mutating func take(_ entry: Entry) throws(ArtefactError) {
        switch entry.kind {
        case .folder:
            if !entry.path.isRoot { try writer?.makeFolder(entry.path) }
        case .file(let size): try takeFile(entry, size)
        case .symbolicLink(let target):
            try needManifest(entry.path)
            guard let link = links[entry.path] else { throw unlisted(entry.path, "link") }
            guard link.target.utf8.elementsEqual(target) else {
                throw ArtefactError(
                    .mismatch, entry.path.text,
                    "it leads to \(EntryPath.shown(target)), the manifest says \(link.target)")
            }
            try writer?.makeLink(entry.path, to: link.target)
        case .hardLink(let target):
            try needManifest(entry.path)
            guard let file = expected[entry.path] else { throw unlisted(entry.path, "file") }
            guard let original = arrived[target] else {
                throw ArtefactError(
                    .unsafeLink, entry.path.text, "a hard link to \(target), which is no file of the release")
            }
            try compare(file, original, mode: expected[target]?.modeBits ?? 0)
            try writer?.makeHardLink(entry.path, to: target)
            arrived[entry.path] = original
        }
    }

    private mutating func takeFile(_ entry: Entry, _ size: Int64) throws(ArtefactError) {
        if entry.path.text == Manifest.fileName { return try takeManifest(entry, size) }
        try needManifest(entry.path)
        let file = expected[entry.path]
        if let file {
            try compare(file, size: size, mode: FolderWriter.mode(entry.mode))
        } else {
            guard Manifest.isUnlisted(entry.path) else { throw unlisted(entry.path, "file") }
            guard size <= MinisignSignature.mostBytes else {
                throw ArtefactError(
                    .tooLarge, entry.path.text, "a signature has less than \(MinisignSignature.mostBytes) bytes")
            }
        }
        let digest = try copy(entry, size)
        guard let file else { return }
        arrived[entry.path] = Arrived(sha256: digest, size: size)
        guard digest == file.sha256 else {
            throw ArtefactError(
                .mismatch, file.path,
                "its SHA-256 is \(digest), the manifest says \(file.sha256): it was changed or damaged")
        }
    }

    private func copy(_ entry: Entry, _ size: Int64) throws(ArtefactError) -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        let output = try writer?.begin(entry.path, mode: entry.mode)
        var digest = SHA256Stream()
        var copied: Int64 = 0
        while copied < size {
            let count = try source.read(into: buffer)
            guard count > 0 else { throw ArtefactError(.truncated, entry.path.text, "it ends too early") }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
            digest.update(bytes)
            try output?.write(bytes)
            copied += Int64(count)
        }
        try output?.finish()
        return digest.finish()
    }

    // MARK: - The manifest

    private mutating func takeManifest(_ entry: Entry, _ size: Int64) throws(ArtefactError) {
        guard size <= limits.manifestBytes else {
            throw ArtefactError(
                .tooLarge, entry.path.text, "\(shownBytes(size)), at most \(shownBytes(limits.manifestBytes))")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(size), alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        while filled < buffer.count {
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            guard count > 0 else { throw ArtefactError(.truncated, entry.path.text, "it ends too early") }
            filled += count
        }
        let digest = BLAKE2bStream(length: 64)
        digest.update(UnsafeRawBufferPointer(buffer))
        manifestDigest = digest.finish()
        let manifest = try Manifest(json: Array(buffer), limits: limits)
        for file in manifest.files { expected[try EntryPath(file.path, limits: limits)] = file }
        for link in manifest.links ?? [] { links[try EntryPath(link.path, limits: limits)] = link }
        self.manifest = manifest
        try writer?.reserve(manifest)
        if let output = try writer?.begin(entry.path, mode: entry.mode) {
            try output.write(UnsafeRawBufferPointer(buffer))
            try output.finish()
        }
    }

    private func needManifest(_ path: EntryPath) throws(ArtefactError) {
        guard manifest == nil else { return }
        throw Manifest.wrong("\(path) comes before it: manifest.json must be the first file of an artefact")
    }

    private func unlisted(_ path: EntryPath, _ noun: String) -> ArtefactError {
        ArtefactError(.mismatch, path.text, "the manifest does not list this \(noun)")
    }

    private func compare(_ file: Manifest.File, size: Int64, mode: UInt32) throws(ArtefactError) {
        guard size == file.sizeBytes else {
            throw ArtefactError(.mismatch, file.path, "\(size) bytes, the manifest says \(file.sizeBytes)")
        }
        guard mode == file.modeBits else {
            throw ArtefactError(.mismatch, file.path, "mode \(String(mode, radix: 8)), the manifest says \(file.mode)")
        }
    }

    private func compare(_ file: Manifest.File, _ original: Arrived, mode: UInt32) throws(ArtefactError) {
        try compare(file, size: original.size, mode: mode)
        guard original.sha256 == file.sha256 else {
            throw ArtefactError(
                .mismatch, file.path, "its SHA-256 is \(original.sha256), the manifest says \(file.sha256)")
        }
    }
}
