import Artefacts
import Foundation
import Glibc
package import OakumEngine
package import OakumModel
package import Releases

/// `ReleaseStore` over folders: FOLDER/RELEASE/ for each release, FOLDER/current as a link to one of them, and
/// FOLDER/ledger.json, which is what counts.
package struct ReleaseFolders: ReleaseStore {
    private let sites: [String: ReleaseSite]
    private let now: @Sendable () -> Double

    /// - Parameter now: seconds since 1970.
    package init(sites: [String: ReleaseSite], now: @escaping @Sendable () -> Double) {
        self.sites = sites
        self.now = now
    }

    // MARK: - The ledger

    @concurrent
    package func ledger(of service: String) async throws(StoreError) -> ReleaseLedger {
        let path = try site(service).folder + "/ledger.json"
        guard let bytes = try DurableFile.read(path) else { return ReleaseLedger() }
        do {
            return try JSONDecoder().decode(ReleaseLedger.self, from: Data(bytes))
        } catch {
            throw .unusable(
                "\(path) is damaged or of a newer oakum (\(error)): put it right, or move it away to begin without releases"
            )
        }
    }

    @concurrent
    package func save(_ ledger: ReleaseLedger, of service: String) async throws(StoreError) {
        let folder = try site(service).folder
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data: Data
        do {
            data = try encoder.encode(ledger)
        } catch {
            throw .failed("the ledger of \(service) cannot be written down: \(error)")
        }
        try DurableFile.create(folder: folder)
        try DurableFile.replace(folder + "/ledger.json", with: [UInt8](data))
    }

    private func site(_ service: String) throws(StoreError) -> ReleaseSite {
        guard let site = sites[service] else { throw .failed("\(service) takes no releases") }
        return site
    }

    // MARK: - Artefacts

    @concurrent
    package func unpack(
        _ artefact: String, for service: String, by whom: String
    ) async throws(ReleaseProblem) -> ReleaseRecord {
        guard let site = sites[service] else { throw ReleaseProblem(.failed, "\(service) takes no releases") }
        do throws(ArtefactError) {
            let artefact = try Artefact(path: artefact)
            let verified = try verify(artefact, site)
            let manifest = try artefact.manifest()
            guard let release = ReleaseID(manifest.release) else {
                throw ArtefactError(.manifest, artefact.path, "`\(manifest.release)` cannot name a release's folder")
            }
            try makeFolder(site.folder)
            let folder = "\(site.folder)/\(release)"
            if access(folder, F_OK) == 0 {
                // Unpacked before: the same files are as good as new ones, others with the same name are not.
                let known = try Artefact(path: folder).check()
                let given = try artefact.check(verified: verified)
                guard known.manifestDigest == given.manifestDigest else {
                    throw ArtefactError(
                        .exists, folder,
                        "another artefact of this name lies there: give each build a release of its own")
                }
            } else {
                _ = try artefact.unpack(into: folder, verified: verified)
            }
            return ReleaseRecord(
                release: release, version: manifest.version, unpackedAt: now(), by: whom,
                isOneWay: manifest.migration.oneWay)
        } catch {
            throw ReleaseProblem(error)
        }
    }

    private func verify(_ artefact: Artefact, _ site: ReleaseSite) throws(ArtefactError) -> VerifiedSignature? {
        guard let path = site.publicKey else { return nil }
        let key = try MinisignPublicKey(argument: path)
        return try key.verify(artefact.signedFile, signatureFile: artefact.signatureFile)
    }

    private func makeFolder(_ path: String) throws(ArtefactError) {
        do throws(StoreError) {
            try DurableFile.create(folder: path)
        } catch {
            throw ArtefactError(.unwritable, path, "\(error)")
        }
    }

    // MARK: - The link, and what goes

    @concurrent
    package func link(_ release: ReleaseID, of service: String) async throws(ReleaseProblem) {
        guard let site = sites[service] else { throw ReleaseProblem(.failed, "\(service) takes no releases") }
        let draft = "\(site.folder)/.current.new"
        unlink(draft)
        guard symlink(release.text, draft) == 0, rename(draft, "\(site.folder)/current") == 0 else {
            throw ReleaseProblem(
                .failed, "\(site.folder)/current cannot be set: \(String(cString: strerror(errno)))")
        }
        DurableFile.syncFolder(site.folder)
    }

    @concurrent
    package func remove(_ releases: [ReleaseID], of service: String) async -> [String] {
        guard let site = sites[service] else { return [] }
        return releases.compactMap { release in
            let folder = "\(site.folder)/\(release)"
            guard !release.isConfigured, access(folder, F_OK) == 0 else { return nil }
            do {
                try FileManager.default.removeItem(atPath: folder)
                return nil
            } catch {
                return "\(folder) cannot be removed: \(error.localizedDescription)"
            }
        }
    }
}

extension ReleaseProblem {
    init(_ error: ArtefactError) {
        let kind: Kind =
            switch error.kind {
            case .diskFull: .diskFull
            case .signature, .key: .signature
            case .unwritable: .failed
            default: .artefact
            }
        self.init(kind, "\(error)")
    }
}
