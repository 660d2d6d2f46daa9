import Glibc

/// A release as it comes: a gzip-compressed tar archive, or a folder with the same in it.
///
/// Reading keeps a few hundred kilobytes and the names in memory, whatever the size. docs/artefacts.md describes the format.
package struct Artefact: Sendable {
    package enum Form: String, Hashable, Sendable {
        case archive
        case folder
    }

    package let path: String
    package let form: Form
    package let limits: ArtefactLimits

    /// - Throws: `.unreadable` when there is nothing that can be read.
    package init(path: String, limits: ArtefactLimits = ArtefactLimits()) throws(ArtefactError) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw .reading(path, errno) }
        switch information.st_mode & S_IFMT {
        case S_IFDIR: form = .folder
        case S_IFREG: form = .archive
        default: throw ArtefactError(.notAnArtefact, path, "neither a file nor a folder")
        }
        self.path = path
        self.limits = limits
    }

    /// What it says about itself; its files are not looked at.
    package func manifest() throws(ArtefactError) -> Manifest {
        try Unpacking.manifest(of: try source(), limits: limits)
    }

    /// Reads all of it, and holds every file against the manifest. Writes nothing.
    /// - Parameter verified: what `verify` returned for this artefact: it must not have changed since then.
    package func check(verified: VerifiedSignature? = nil) throws(ArtefactError) -> ArtefactContents {
        let contents = try Unpacking.run(try source(), into: nil, limits: limits)
        if let verified { try verified.check(contents, of: self) }
        return contents
    }

    /// Unpacks it into a new folder, which is there when this returns, complete, checked and on the disk, and not at all
    /// when it throws. Owners and times are not taken over; of the permissions of files reading, running, and the owner's
    /// writing are.
    ///
    /// - Parameters:
    ///   - folder: must not be there; the folder it is in must.
    ///   - verified: what `verify` returned for this artefact: when it has changed since then, nothing is unpacked.
    package func unpack(
        into folder: String, verified: VerifiedSignature? = nil
    ) throws(ArtefactError) -> ArtefactContents {
        let source = try source()
        let writer = try FolderWriter(path: folder)
        let contents = try Unpacking.run(source, into: writer, limits: limits)
        if let verified { try verified.check(contents, of: self) }
        try writer.finish()
        return contents
    }

    /// The file that is signed: the archive, or the manifest of a folder, which has the checksums of all other files.
    package var signedFile: String { form == .archive ? path : "\(path)/\(Manifest.fileName)" }
    /// Where its signature is expected.
    package var signatureFile: String { signedFile + MinisignSignature.fileSuffix }

    private func source() throws(ArtefactError) -> any EntrySource {
        switch form {
        case .archive: try TarReader(path: path, limits: limits)
        case .folder: try FolderReader(path: path, limits: limits)
        }
    }
}

/// What was found in an artefact.
package struct ArtefactContents: Hashable, Sendable {
    package var manifest: Manifest
    /// Files, the manifest included.
    package var files: Int
    /// Bytes of all files.
    package var bytes: Int64
    /// BLAKE2b-512 of the packed file; nil for a folder.
    package var packedDigest: [UInt8]?
    /// BLAKE2b-512 of the manifest's bytes.
    package var manifestDigest: [UInt8]
}
