/// A timer's way back to its owner, which the timer must not keep alive. A weak reference would do,
/// but it sends every later count of a reference to the owner a longer way, and a reactor's server
/// and pools are counted several times a request.
///
/// The owner sets ``owner`` when it is made and clears it in its `deinit`, both on the reactor's
/// thread: what is read here lives.
final class Backlink<Owner: AnyObject> {
    unowned(unsafe) var owner: Owner?

    init() {}
}
