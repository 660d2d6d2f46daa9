import Foundation
import Glibc
import LoadGenerator
import OakumAPI
import OakumModel
import Synchronization

/// Another build takes the place of the one that runs, while the load goes on.
struct DrillDeploy: Sendable {
    /// After the first request.
    var atSeconds: Double
    /// The argv of the new build, with variables still in it.
    var command: [String]
    /// What is said of it to Oakum, as whoever deploys can; nil: nothing, it has to find out.
    var mark: String?
}

/// What `oakum.yaml` starts where a build is replaced during an arm: a script that becomes the build of the moment.
struct Launcher: Sendable {
    let folder: String
    /// After `hinder()` a start takes so long; nil: as long as the build needs.
    var restartSeconds: Double?

    var path: String { "\(folder)/service" }
    private var build: String { "\(folder)/build" }
    private var hindrance: String { "\(folder)/hindrance" }

    /// From now on this argv is started, at once.
    func install(_ words: [String]) throws(DrillError) {
        let argv = words.map(Self.word).joined(separator: " ")
        try place("#!/bin/sh\nexec \(argv)\n", at: build)
        let pause = restartSeconds.map { seconds in
            """
            if [ -e \(Self.word(hindrance)) ]; then
                sleep \(seconds) & pause=$!
                trap 'kill $pause; exit 0' TERM INT
                wait $pause
                trap - TERM INT
            fi

            """
        }
        try place("#!/bin/sh\n\(pause ?? "")exec \(Self.word(build))\n", at: path)
        unlink(hindrance)
    }

    /// Starts take their time from now on, until another build is installed.
    func hinder() throws(DrillError) {
        guard restartSeconds != nil else { return }
        try writeText("", to: hindrance)
    }

    private func place(_ text: String, at path: String) throws(DrillError) {
        let new = path + ".new"
        try writeText(text, to: new)
        guard chmod(new, 0o700) == 0, rename(new, path) == 0 else {
            throw .couldNotRun("\(path) cannot be put in place: \(String(cString: strerror(errno)))")
        }
    }

    private static func word(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}

/// Replaces the build when it is time, and has all workers recycled, once.
final class DrillRelease: Sendable {
    private let deploy: DrillDeploy
    private let service: String
    private let launcher: Launcher
    private let plane: any ControlPlane
    private let isDone = Mutex(false)

    init(_ deploy: DrillDeploy, service: String, launcher: Launcher, plane: any ControlPlane) {
        self.deploy = deploy
        self.service = service
        self.launcher = launcher
        self.plane = plane
    }

    func look(_ load: LoadSnapshot) async throws(DrillError) {
        guard let started = load.startedAt, uptimeNow() - started >= deploy.atSeconds,
            isDone.withLock({ done in
                defer { done = true }
                return !done
            })
        else { return }
        try launcher.install(Programs.fill(deploy.command, ["folder": launcher.folder]))
        do throws(ControlError) {
            if let mark = deploy.mark { _ = try await plane.perform(.markDeploy(service: service, text: mark)) }
            _ = try await plane.perform(.recycle(service: service, worker: nil))
        } catch {
            throw .couldNotRun("the new build could not be started: \(error.message)")
        }
    }
}

/// A file system of a few megabytes in memory.
struct SmallVolume: Sendable {
    let path: String

    init(_ path: String, bytes: Int64) throws(DrillError) {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .couldNotRun("\(path) cannot be created: \(String(cString: strerror(errno)))")
        }
        guard mount("tmpfs", path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "mode=700,size=\(bytes)") == 0 else {
            let reason = String(cString: strerror(errno))
            throw .couldNotRun("a small volume cannot be mounted on \(path): \(reason); run the drill as root")
        }
    }

    func unmount() {
        umount2(path, Int32(MNT_DETACH))
    }
}
