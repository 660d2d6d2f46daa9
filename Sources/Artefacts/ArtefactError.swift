import CLinux

/// Why an artefact is not taken: what happened, where, and what to do next where that is known.
package struct ArtefactError: Error, Hashable, CustomStringConvertible {
    /// What kind of trouble, for callers that decide by it.
    package enum Kind: String, Hashable, Sendable {
        /// The system refuses to read.
        case unreadable
        /// The system refuses to write.
        case unwritable
        /// There is not enough room, found out before or while unpacking.
        case diskFull
        /// The folder to unpack into is there already, or another process is unpacking into it.
        case exists
        /// Not a gzip-compressed tar archive at all, or of a kind that is not read.
        case notAnArtefact
        /// Begins well and is then not what its format says.
        case damaged
        /// Ends too early.
        case truncated
        /// A name that is absolute, leaves the folder, is not UTF-8, or cannot be shown on one line.
        case unsafeName
        /// A link that leaves the folder, or goes to something that is not there.
        case unsafeLink
        /// A device, a pipe, a socket, a sparse file or anything else that a release does not need.
        case unsafeKind
        /// A file that would run with its owner's or group's rights.
        case setuid
        /// The same name twice, or below something that is not a folder.
        case duplicate
        case tooManyEntries
        case tooLarge
        /// Unpacks to far more than it is: a bomb.
        case tooDense
        /// The manifest is missing or wrong.
        case manifest
        /// The manifest and the files differ.
        case mismatch
        /// A key or a signature cannot be read, or does not belong to the other.
        case key
        /// The signature is wrong.
        case signature
    }

    package var kind: Kind
    /// The file, or the name inside the archive, or a byte in it.
    package var place: String
    package var detail: String

    package init(_ kind: Kind, _ place: String, _ detail: String) {
        self.kind = kind
        self.place = place
        self.detail = detail
    }

    /// What the system said about a file that is written: a full disk is told apart.
    static func writing(_ place: String, _ error: Int32) -> ArtefactError {
        switch error {
        case ENOSPC, EDQUOT:
            ArtefactError(
                .diskFull, place, "the disk is full (\(text(error))); what was begun is removed: make room, try again")
        default: ArtefactError(.unwritable, place, text(error))
        }
    }

    static func reading(_ place: String, _ error: Int32) -> ArtefactError {
        ArtefactError(.unreadable, place, text(error))
    }

    private static func text(_ error: Int32) -> String { String(cString: linux_error_text(error)) }

    package var description: String { "\(place): \(detail)" }
}
