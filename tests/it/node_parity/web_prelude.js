// What the cases in `web.txt` may use. What an error says is only compared where a standard or Node's documentation fixes it.
function thrown(f) { try { return ['no error', f()] } catch (e) { return [e.name, e.code, e.constructor.name] } }
function said(f) { try { return ['no error', f()] } catch (e) { return [e.name, e.code, e.message] } }
function kind(f) { try { return ['no error', f()] } catch (e) { return [e.name, e.constructor.name] } }
function bytes(...list) { return new Uint8Array(list) }
function props(o) { return Object.getOwnPropertyNames(o).sort().map(k => { const d = Object.getOwnPropertyDescriptor(o, k); return k + (d.get ? ' get' : '') + (d.set ? ' set' : '') + (d.writable ? ' w' : '') + (d.enumerable ? ' e' : '') + (d.configurable ? ' c' : '') + (typeof d.value === 'function' ? ' ' + d.value.length : '') }) }
function parts(u) { const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = u; return [href, origin, protocol, username, password, host, hostname, port, pathname, search, hash].join(' | ') }
function url(text, base) { try { return parts(new URL(text, base)) } catch (e) { return e.name + ' ' + e.code } }
function set(text, part, value) { const u = new URL(text); u[part] = value; return u.href }
function heard(f) { const log = []; const r = f(new EventTarget(), x => log.push(x)); return [log, r] }
