   # blanks before the version are fine
version development
import"lib/structs.wdl"as s alias RuntimeAttr as Attr alias Reference as Ref
struct Empty{}
struct Holder{Ref? ref Array[Array[Attr]]+? attrs Map[Int,Pair[Boolean,Directory?]]dirs}
workflow w{input{Holder h Array [ Int ] ? a=[1,2,3,] Float f=-1.5 Float g=.5e-3 Int i=-1 String s='it' Boolean b=!(1<2)||true&&1==1
Directory?d String multi=<<<
    two
    lines ~{1+1}
>>> String m=<<< x >>> Object_ o=Object_{input_:1} String t="~{if b then"x"else"y"}${s}\t\u00e9\x41\101\"" Int pow=2**3 Envs e}
meta{a:{},b:[],c:[1,"2",true,None],input:"keyword as a key"}
call t as u{a=i,b}scatter(x in[1]){if(b){call t as v after u{input:a=x}}}
output{Array[Int?]r=v.n String? z=None}hints{short:true inputs:input{a:hints{x:1}}}}
struct Object_{Int input_}struct Envs{Int env_1}
task t{input{env Int a Boolean b=true}env String E="e"
command{echo $E ~{a} ${"}"} ~{'}'}}requirements{container:"c:1"}
output{Int n=a*2}}
