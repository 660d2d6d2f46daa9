/// The version of this build.
package enum OakumVersion {
    package static let current = "0.1.0"
}
