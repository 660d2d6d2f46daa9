/// What an artefact has shown so far: says of each entry whether it may be there. A value, without any file.
struct EntryLedger {
    enum Known: Hashable {
        case file
        case folder(isListed: Bool)
        case link
    }

    private(set) var known: [EntryPath: Known] = [:]
    private var links: [(path: EntryPath, target: EntryPath)] = []
    private(set) var files = 0
    private(set) var bytes: Int64 = 0
    private let limits: ArtefactLimits

    init(limits: ArtefactLimits) {
        self.limits = limits
    }

    /// Takes an entry on, with the folders above it that were not listed.
    /// - Returns: those folders, outermost first.
    /// - Throws: when it may not be there.
    mutating func admit(_ entry: Entry) throws(ArtefactError) -> [EntryPath] {
        if entry.path.isRoot, entry.kind != .folder {
            throw ArtefactError(.unsafeName, ".", "the folder itself can be no file and no link")
        }
        try checkMode(entry)
        let above = try foldersAbove(entry.path)
        switch known[entry.path] {
        case nil: break
        case .folder(isListed: false) where entry.kind == .folder: break
        case .some: throw ArtefactError(.duplicate, entry.path.text, "the same name twice")
        }
        switch entry.kind {
        case .folder: known[entry.path] = .folder(isListed: true)
        case .file(let size): try admitFile(entry.path, size)
        case .symbolicLink(let target):
            links.append((entry.path, try entry.path.target(of: target, limits: limits)))
            known[entry.path] = .link
        case .hardLink(let target):
            guard known[target] == .file else {
                throw ArtefactError(
                    .unsafeLink, entry.path.text, "a hard link to \(target), which is no file unpacked before it")
            }
            files += 1
            known[entry.path] = .file
        }
        guard known.count <= limits.entries else {
            throw ArtefactError(
                .tooManyEntries, entry.path.text, "more than \(limits.entries) files, folders and links")
        }
        return above
    }

    /// To be called after the last entry.
    /// - Throws: `.unsafeLink` for a link to nothing.
    func finish() throws(ArtefactError) {
        for (path, target) in links where !target.isRoot && known[target] == nil {
            // A target below another link is not followed here: it stays inside, which is what counts.
            guard !isBelowLink(target) else { continue }
            throw ArtefactError(.unsafeLink, path.text, "a link to \(target), which is not in the artefact")
        }
    }

    private func isBelowLink(_ path: EntryPath) -> Bool {
        var folder = path.parent
        while let current = folder {
            if known[current] == .link { return true }
            folder = current.parent
        }
        return false
    }

    private func checkMode(_ entry: Entry) throws(ArtefactError) {
        // A folder's bits are not taken over at all.
        guard case .file = entry.kind, entry.mode & 0o6000 != 0 else { return }
        throw ArtefactError(
            .setuid, entry.path.text, "a setuid or setgid file: a release needs none; chmod ug-s, and pack it again")
    }

    private mutating func admitFile(_ path: EntryPath, _ size: Int64) throws(ArtefactError) {
        guard size <= limits.fileBytes else {
            throw ArtefactError(
                .tooLarge, path.text, "\(shownBytes(size)), a file may have \(shownBytes(limits.fileBytes))")
        }
        bytes += size
        guard bytes <= limits.totalBytes else {
            throw ArtefactError(
                .tooLarge, path.text, "with it the files have over \(shownBytes(limits.totalBytes)), the most taken")
        }
        files += 1
        known[path] = .file
    }

    private mutating func foldersAbove(_ path: EntryPath) throws(ArtefactError) -> [EntryPath] {
        var missing: [EntryPath] = []
        var folder = path.parent
        while let current = folder, !current.isRoot {
            switch known[current] {
            case .folder: folder = nil
            case nil:
                missing.append(current)
                folder = current.parent
            case .link:
                throw ArtefactError(.unsafeLink, path.text, "it would be written through the link \(current)")
            case .file: throw ArtefactError(.duplicate, path.text, "it is below \(current), which is a file")
            }
        }
        for folder in missing { known[folder] = .folder(isListed: false) }
        return missing.reversed()
    }
}
