/// What an artefact says about itself: `manifest.json`, the first file in it. docs/artefacts.md describes each key.
package struct Manifest: Hashable, Sendable, Codable {
    /// Its name inside the artefact.
    package static let fileName = "manifest.json"
    /// The version of the format that this code reads.
    package static let currentFormat = 1

    /// A file of the release.
    package struct File: Hashable, Sendable, Codable {
        /// Relative, as `EntryPath` spells it.
        package var path: String
        /// 64 lower-case hexadecimal digits.
        package var sha256: String
        package var sizeBytes: Int64
        /// Permission bits in octal digits: "0755".
        package var mode: String

        package init(path: String, sha256: String, sizeBytes: Int64, mode: String) {
            self.path = path
            self.sha256 = sha256
            self.sizeBytes = sizeBytes
            self.mode = mode
        }

        enum CodingKeys: String, CodingKey {
            case path, sha256, mode
            case sizeBytes = "size_bytes"
        }
    }

    /// A symbolic link of the release.
    package struct Link: Hashable, Sendable, Codable {
        package var path: String
        package var target: String

        package init(path: String, target: String) {
            self.path = path
            self.target = target
        }
    }

    /// How the program is run where a configuration says nothing else.
    package struct Defaults: Hashable, Sendable, Codable {
        package var environment: [String: String]?
        /// "127.0.0.1:8080"
        package var listen: String?
        package var workers: Int?
        package var memoryBudgetBytes: Int64?
        package var healthPath: String?

        package init() {}

        enum CodingKeys: String, CodingKey {
            case environment, listen, workers
            case memoryBudgetBytes = "memory_budget_bytes"
            case healthPath = "health_path"
        }
    }

    /// What this release does to data that outlives it.
    package struct Migration: Hashable, Sendable, Codable {
        /// True: the release before it can no longer run on the data (a contract step), so it is not rolled back by itself.
        /// False: old and new run side by side (an expand step, or none).
        package var oneWay: Bool

        package init(oneWay: Bool) {
            self.oneWay = oneWay
        }

        enum CodingKeys: String, CodingKey {
            case oneWay = "one_way"
        }
    }

    package var format: Int
    /// Of the service or program: small letters, digits, `.`, `_`, `-`.
    package var name: String
    package var version: String
    /// Tells this build from every other: the name of its folder on a host.
    package var release: String
    /// "linux-x86_64"
    package var platform: String
    /// When the source was committed, in UTC: "2026-01-31T12:00:00Z".
    package var created: String
    /// ELF build ids in hexadecimal digits, by the path of the file.
    package var buildIDs: [String: String]
    package var files: [File]
    package var links: [Link]?
    /// Packages of the system that it needs to run, by their Debian names.
    package var systemPackages: [String]
    /// Its first word is a file of the release.
    package var command: [String]
    package var defaults: Defaults?
    package var migration: Migration
    /// The file with the software bill of materials.
    package var sbom: String

    enum CodingKeys: String, CodingKey {
        case format, name, version, release, platform, created, files, links, command, defaults, migration, sbom
        case buildIDs = "build_ids"
        case systemPackages = "system_packages"
    }
}

extension Manifest.File {
    /// The permission bits; nil when it is no octal number, or has bits that an artefact may not have (only the owner writes).
    package var modeBits: UInt32? {
        guard (3...4).contains(mode.utf8.count), let bits = UInt32(mode, radix: 8), bits & ~0o755 == 0 else {
            return nil
        }
        return bits
    }
}

extension Manifest {
    /// Bytes on a disk with blocks of so many bytes, at least: files, and a block for each entry.
    func bytesNeeded(block: Int64) -> Int64 {
        let sizes = files.reduce(Int64(0)) { $0 + ($1.sizeBytes + block - 1) / block * block }
        return sizes + Int64(files.count + (links?.count ?? 0)) * block
    }
}
